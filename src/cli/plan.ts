import { SlipwayError } from '../errors.js';
import { clusterSizes } from '../planner/search/clusterSizes.js';
import { deadEnd } from '../planner/search/deadEnd.js';
import { parseFix } from '../planner/search/parseFix.js';
import type { PlanDocument, WhyNotDocument } from '../planner/search/planDocument.js';
import { planEstimates } from '../planner/search/planEstimate.js';
import type { PlanRequest, PlanResult } from '../planner/search/request.js';
import { planSearch } from '../planner/search/search.js';
import { smallestCluster } from '../planner/search/smallestCluster.js';
import { whyNot } from '../planner/search/whyNot.js';
import { parseQuantity } from '../quantity/parseQuantity.js';
import { toJson } from '../report/json.js';
import { planTable, type Question } from '../report/planTable.js';
import type { TextStyle } from '../report/text.js';
import { estimatedFigures } from '../scenario/estimatedFigures.js';
import { type LoadedRun, loadRun } from '../scenario/loadScenario.js';
import { interruption } from './interruption.js';
import { runFileOf } from './planFile.js';
import { PlanProgressLine } from './planProgress.js';
import type { CommandOutput } from './program.js';
import { type FlagValues, overridesOf, requireRun, sourceOf } from './runFileArguments.js';
import { writeWhole } from './writeFile.js';

/** `slipway plan [run.yaml]`: exit 1 where nothing fits or meets the conditions; after Ctrl-C the best so far, exit 130. */
export async function runPlan(file: string | undefined, flags: FlagValues, style: TextStyle): Promise<CommandOutput> {
  const overrides = overridesOf(flags);
  requireRun(file, overrides);
  const loaded = await loadRun(sourceOf(file), overrides, { openDegrees: true });
  const interrupt = interruption();
  try {
    const request = { ...requestOf(flags, loaded), signal: interrupt.signal };
    const started = performance.now();
    const result = await searched(request, flags);
    const seconds = (performance.now() - started) / 1000;
    const document = await documentOf(request, result, seconds, flags, loaded);
    const [winner] = result.plans;
    if (typeof flags.save === 'string' && winner !== undefined) {
      writeWhole(flags.save, await runFileOf(loaded, winner, { source: file, target: flags.save }));
    }
    const text = flags.json === true ? toJson(document) : planTable(document, questionOf(request, loaded), style);
    return { text, exitCode: interrupt.signal.aborted ? 130 : winner === undefined ? 1 : 0 };
  } finally {
    interrupt.end();
  }
}

/** What is sought: `smallest` where the cluster's size is to be chosen. */
interface Sought extends PlanRequest {
  readonly smallest: boolean;
}

function requestOf(flags: FlagValues, { scenario }: LoadedRun): Sought {
  const { fix, accelerators } = parseFix(textsOf(flags.fix));
  const deadlineSeconds = quantityOf(flags.deadline, 'seconds', '--deadline');
  const budgetDollars = quantityOf(flags.budget, 'dollars', '--budget');
  const sized = deadlineSeconds !== undefined || budgetDollars !== undefined;
  const sizes = accelerators ?? (sized ? clusterSizes(scenario) : undefined);
  const objective = textOf(flags.objective) ?? (sized ? 'accelerators' : 'step');
  return {
    scenario,
    fix,
    objective,
    smallest: sized && accelerators === undefined && objective === 'accelerators',
    top: countOf(flags.top, '--top') ?? 10,
    diverse: flags.diverse === true,
    pareto: (textOf(flags.pareto) ?? 'step,memory').split(',').map((axis) => axis.trim()),
    ...(sizes === undefined ? {} : { accelerators: sizes }),
    ...(typeof flags.where === 'string' ? { where: flags.where } : {}),
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    ...(budgetDollars === undefined ? {} : { budgetDollars }),
    now: () => performance.now() / 1000,
  };
}

async function searched(request: Sought, flags: FlagValues): Promise<PlanResult> {
  const line = new PlanProgressLine(process.stderr, flags.progress === true);
  try {
    const search = request.smallest ? smallestCluster(request) : planSearch(request);
    for (;;) {
      const { done, value } = await search.next();
      if (done === true) return value;
      line.show(value);
      // Signals are heard between two turns of the event loop only.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    line.clear();
  }
}

async function documentOf(
  request: PlanRequest,
  result: PlanResult,
  seconds: number,
  flags: FlagValues,
  { run, scenario }: LoadedRun,
): Promise<PlanDocument> {
  const options = {
    written: { model: run.model, cluster: run.cluster },
    estimatedFigures: estimatedFigures(run.cluster),
  };
  const estimates = planEstimates(scenario, result.plans, options);
  const { searched: count, evaluated, simulated, feasible, complete, pareto, rejectedByReason } = result;
  const { nearestMiss, remedies: ways } =
    estimates.length === 0 && complete ? await deadEnd(request, result) : { ...result, remedies: [] };
  return {
    schemaVersion: 1,
    objective: request.objective ?? 'step',
    searched: count,
    ...{ evaluated, simulated, feasible, seconds, complete, plans: estimates, pareto },
    paretoAxes: request.pareto ?? [],
    ...{ rejectedByReason, nearestMiss },
    remedies: ways.flatMap(({ change, plan }) =>
      planEstimates(scenario, [plan], { ...options, advice: false }).map((full) => ({ change, plan: full })),
    ),
    whyNot: await answers(request, textsOf(flags.whyNot)),
  };
}

async function answers(request: PlanRequest, asked: readonly string[]): Promise<readonly WhyNotDocument[]> {
  const found: WhyNotDocument[] = [];
  for (const text of asked) {
    const { fix } = parseFix([text], '--why-not');
    const { plan, reason, nearest, given } = await whyNot(request, fix);
    const [full = null] = plan === null ? [] : planEstimates(request.scenario, [plan], { advice: false });
    const [near = null] = nearest === null ? [] : planEstimates(request.scenario, [nearest], { advice: false });
    found.push({ asked: text, plan: full, reason, nearest: near, given });
  }
  return found;
}

function questionOf({ scenario, accelerators, fix = {} }: PlanRequest, { run }: LoadedRun): Question {
  const { strategy, framework, model, cluster, sequenceLength } = scenario;
  const fixed = Object.entries(fix).map(([key, values]) => `${key}=${(values ?? []).join('|')}`);
  const written = Object.entries(run.strategy ?? {}).filter(([key]) => !(key in fix) && key !== 'globalBatchSize');
  return {
    model: model.name,
    cluster: cluster.id || 'the cluster given',
    accelerators: accelerators ?? [scenario.accelerators],
    globalBatchSize: strategy.globalBatchSize,
    sequenceLength,
    framework: framework.id,
    settled: [...written.map(([key, value]) => `${key}=${String(value)}`), ...fixed],
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function countOf(value: unknown, key: string): number | undefined {
  if (typeof value !== 'number') return undefined;
  if (value >= 1 && value <= 1000) return value;
  throw new SlipwayError('invalid-run-file', `${value} is not between 1 and 1000`, { key });
}

function quantityOf(value: unknown, dimension: 'seconds' | 'dollars', key: string): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseQuantity(value, dimension);
  } catch (error) {
    throw error instanceof SlipwayError ? new SlipwayError(error.code, error.message, { ...error.place, key }) : error;
  }
}
