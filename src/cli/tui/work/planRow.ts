import { countParameters, type Plan, type Scenario, type Strategy } from '../../../index.js';
import { paretoOf } from '../../../planner/search/pareto.js';
import { throughput } from '../../../planner/throughput.js';
import { strategyLabel } from '../../../report/strategyLabel.js';
import { inverselyScaled, scaled, uncertaintyOf } from '../../../uncertainty/intervals.js';
import { type RunValue, withValues } from '../scenario/runValue.js';
import { type PlanRow, searchedKeys } from './search.js';

/** Plans of one search as rows: a plan is looked at once, however often the list is told. */
export class PlanRows {
  private readonly known = new WeakMap<Plan, PlanRow>();

  constructor(
    private readonly run: RunValue,
    private readonly held: readonly string[],
    readonly scenario: Scenario,
  ) {}

  of(plans: readonly Plan[]): readonly PlanRow[] {
    const front = new Set(paretoOf(plans, ['step', 'memory'], this.scenario));
    return plans.map((plan, index) => ({ ...this.rowOf(plan), onFront: front.has(index) }));
  }

  rowOf(plan: Plan): PlanRow {
    const known = this.known.get(plan);
    if (known !== undefined) return known;
    const row = this.made(plan);
    this.known.set(plan, row);
    return row;
  }

  private made({ strategy: s, evaluation, accelerators }: Plan): PlanRow {
    const scenario = { ...this.scenario, strategy: s };
    const { deviceBytes, capacityBytes, stepSeconds, dataParallel } = evaluation;
    const speed = throughput(scenario, evaluation, 'megatron', countParameters(scenario.model).active);
    const { stepFactors, probabilityOfNotFitting, outsideValidatedRange } = uncertaintyOf(scenario, evaluation);
    return {
      run: withValues(this.run, this.written(s)),
      label: strategyLabel(s, accelerators),
      tensorParallel: s.tensorParallel,
      contextParallel: s.contextParallel,
      pipelineParallel: s.pipelineParallel,
      virtualStages: s.virtualStages,
      expertParallel: s.expertParallel,
      dataParallel,
      microBatchSize: s.microBatchSize,
      schedule: s.pipelineSchedule,
      dataSharding: s.dataSharding,
      recompute: s.recompute,
      deviceBytes,
      capacityBytes,
      stepSeconds,
      stepInterval: scaled(stepSeconds, stepFactors),
      tokensPerSecond: speed.tokensPerSecond,
      mfu: speed.mfu,
      mfuInterval: inverselyScaled(speed.mfu, stepFactors),
      probabilityOfNotFitting,
      outsideValidatedRange,
      onFront: false,
    };
  }

  /** What the search chose, as a run file writes it: an empty list is no list. */
  private written(strategy: Strategy): Record<string, unknown> {
    const own: Readonly<Record<string, unknown>> = { ...this.scenario.strategy };
    const values: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(strategy)) {
      const key = `strategy.${name}`;
      const isChoice = searchedKeys.includes(key) || String(value) !== String(own[name]);
      if (isChoice && !this.held.includes(key))
        values[key] = Array.isArray(value) && value.length === 0 ? undefined : value;
    }
    return values;
  }
}
