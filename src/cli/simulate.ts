import { basename, dirname, isAbsolute, join } from 'node:path';
import { SlipwayError } from '../errors.js';
import { degreesOf } from '../parallelism/degrees.js';
import { formatBytes } from '../quantity/format.js';
import { parseQuantity } from '../quantity/parseQuantity.js';
import { chromeTrace } from '../report/chromeTrace.js';
import { toJson } from '../report/json.js';
import { firstOverflow, simulationResult } from '../report/simulationResult.js';
import { simulationTable } from '../report/simulationTable.js';
import type { TextStyle } from '../report/text.js';
import { timelineSvg } from '../report/timelineSvg.js';
import { isOrderFile, loadOrder, type OrderTable } from '../scenario/loadOrder.js';
import { loadRun, type RunFileSource } from '../scenario/loadScenario.js';
import { parseRunFileText } from '../scenario/runFileText.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Override } from '../scenario/setPath.js';
import { type SimulatedStep, type SimulateOptions, simulateAtScale, simulateStep } from '../simulation/simulate.js';
import { perturbationOf } from './perturbationFlags.js';
import type { CommandOutput } from './program.js';
import { type FlagValues, overridesOf, requireRun, sourceOf } from './runFileArguments.js';
import { writeWhole } from './writeFile.js';

/** `slipway simulate [run.yaml]`: exit 1 where the strategy does not fit. */
export async function runSimulate(
  file: string | undefined,
  flags: FlagValues,
  style: TextStyle,
): Promise<CommandOutput> {
  const overrides = overridesOf(flags);
  requireRun(file, overrides);
  const source = sourceOf(file);
  const orderFile = orderFileOf(flags, overrides, source);
  const { scenario } = await loadRun(source, orderFile?.fromRunFile ? [...overrides, withoutSchedule] : overrides);
  const perturbation = perturbationOf(flags);
  const options = { ...(perturbation === undefined ? {} : { perturbation }), checkpoint: flags.checkpoint === true };
  const step = orderFile === undefined ? simulateStep(scenario, options) : withOrder(scenario, orderFile.path, options);
  const window = windowOf(flags, step);
  const noisy = perturbation !== undefined && perturbation.jitter > 0 && orderFile === undefined;
  const result = simulationResult(step, noisy ? simulateAtScale(scenario, perturbation) : null);
  if (typeof flags.trace === 'string') writeWhole(flags.trace, chromeTrace(step, window.fromSeconds, window.toSeconds));
  if (typeof flags.svg === 'string') writeWhole(flags.svg, timelineSvg(step, window));
  const text =
    flags.json === true
      ? toJson(result)
      : simulationTable(step, result, style, { ...window, pictureColumns: pictureColumns(flags) });
  return { text, exitCode: result.memory.fits ? 0 : 1 };
}

const scheduleKey = 'strategy.pipelineSchedule';

/** The named schedule then only says how chunks are placed, and is the usual one. */
const withoutSchedule: Override = { path: scheduleKey.split('.'), value: undefined };

interface OrderFile {
  readonly path: string;
  /** Given as pipelineSchedule, where otherwise a schedule's name stands. */
  readonly fromRunFile: boolean;
}

/** `--schedule file` first, then `--pipeline-schedule file`, then the run file's, whose paths start from its folder. */
function orderFileOf(
  flags: FlagValues,
  overrides: readonly Override[],
  source: RunFileSource | undefined,
): OrderFile | undefined {
  if (typeof flags.schedule === 'string') return { path: flags.schedule, fromRunFile: false };
  const given = overrides.filter(({ path }) => path.join('.') === scheduleKey).at(-1);
  if (given !== undefined) return namesFile(given.value) ? { path: given.value, fromRunFile: true } : undefined;
  if (source === undefined) return undefined;
  const { strategy } = parseRunFileText(source.text, source.file).value;
  const written = typeof strategy === 'object' && strategy !== null ? Object(strategy).pipelineSchedule : undefined;
  if (!namesFile(written)) return undefined;
  const folder = source.file === '-' ? '.' : dirname(source.file);
  return { path: isAbsolute(written) ? written : join(folder, written), fromRunFile: true };
}

function namesFile(value: unknown): value is string {
  return typeof value === 'string' && isOrderFile(value);
}

function withOrder(scenario: Scenario, path: string, options: SimulateOptions): SimulatedStep {
  const { pipelineParallel, virtualStages, microBatches } = degreesOf(scenario);
  const { pipelineSchedule } = scenario.strategy;
  if (pipelineSchedule === 'dualpipe') {
    const message = 'dualpipe puts two copies of a stage on a rank, which a schedule file cannot say; use another one';
    throw new SlipwayError('unsupported', message, { key: scheduleKey });
  }
  const order = loadOrder(path, {
    stages: pipelineParallel,
    chunksPerStage: virtualStages,
    microBatches,
    vShaped: pipelineSchedule === 'zb-v',
  });
  const step = simulateStep(scenario, { ...options, order });
  refuseFullOrder(step, order, path);
  return { ...step, schedule: { ...step.schedule, id: basename(path) } };
}

/** An order that keeps more micro-batches alive than memory has room for is no order, where a single one of them would fit. */
function refuseFullOrder(step: SimulatedStep, { ranks, slots }: OrderTable, file: string): void {
  const first = firstOverflow(step);
  if (first?.pass === undefined) return;
  const { stage: rank, pass } = first;
  const memory = step.memory[rank];
  const { usableMemoryBytes } = step.prepared.accelerator;
  if (memory === undefined || memory.inFlightMicroBatches < 2) return;
  const each = (memory.peakBytes - memory.stateBytes) / memory.inFlightMicroBatches;
  if (memory.stateBytes + each > usableMemoryBytes) return;
  const position = (ranks[rank] ?? []).findIndex(
    ({ kind, microBatch, chunk }) => kind === pass.kind && microBatch === pass.microBatch && chunk === pass.chunk,
  );
  const slot = slots[rank]?.[position];
  const message = `rank ${rank}, slot ${slot ?? position}: over the memory of the accelerator: at its peak the rank holds ${formatBytes(memory.peakBytes)} of ${formatBytes(usableMemoryBytes)}, ${formatBytes(each)} a micro-batch; run backward passes earlier`;
  throw new SlipwayError('invalid-run-file', message, { file });
}

/** `--from` and `--to`, such as 1.2s; bare numbers are seconds. */
function windowOf(flags: FlagValues, { makespanSeconds }: SimulatedStep): { fromSeconds: number; toSeconds: number } {
  const fromSeconds = moment(flags.from, '--from') ?? 0;
  const toSeconds = moment(flags.to, '--to') ?? makespanSeconds;
  if (fromSeconds >= makespanSeconds) {
    const message = `${fromSeconds} s is after the end of the step at ${Number(makespanSeconds.toPrecision(4))} s`;
    throw new SlipwayError('invalid-quantity', message, { key: '--from' });
  }
  if (toSeconds <= fromSeconds) {
    throw new SlipwayError('invalid-quantity', `${toSeconds} s is not after --from ${fromSeconds} s`, { key: '--to' });
  }
  return { fromSeconds, toSeconds };
}

function moment(given: unknown, key: string): number | undefined {
  if (typeof given !== 'string') return undefined;
  try {
    return parseQuantity(given, 'seconds');
  } catch (error) {
    if (error instanceof SlipwayError) throw new SlipwayError(error.code, error.message, { ...error.place, key });
    throw error;
  }
}

/** `--width`, else all of the terminal: the picture gains from columns that text does not need. */
function pictureColumns(flags: FlagValues): number | undefined {
  if (typeof flags.width === 'number') return Math.max(20, Math.min(1000, flags.width));
  const { columns } = process.stdout;
  return columns !== undefined && columns > 0 ? Math.max(40, Math.min(1000, columns)) : undefined;
}
