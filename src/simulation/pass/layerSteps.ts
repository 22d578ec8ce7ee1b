import type { ContextTraffic } from '../../parallelism/context.js';
import type { TimedOperator } from '../../parallelism/layerCost.js';
import type { TensorTraffic } from '../../parallelism/tensor.js';
import type { Step } from './steps.js';

/** Traffic of one layer and micro-batch, in seconds on its links. */
export interface LayerTraffic {
  readonly tensor: TensorTraffic | undefined;
  readonly context: ContextTraffic | undefined;
  /** Dispatch and combine of tokens between experts, half of it each; 0 where another micro-batch's passes hide them. */
  readonly expertSeconds: number;
}

/** A layer's operators, cut into the parts that tensor parallelism communicates for. */
export interface LayerParts {
  readonly operators: readonly TimedOperator[];
  /** Attention and feed-forward part are one: both work on the same input, and their outputs are summed together. */
  readonly parallel: boolean;
}

type Direction = 'forward' | 'backward' | 'inputGradient';

export function forwardSteps(parts: LayerParts, traffic: LayerTraffic): Step[] {
  return new StepWriter(parts, traffic, 'forward').write();
}

/** Input and weight gradients of the operators, last to first. */
export function backwardSteps(parts: LayerParts, traffic: LayerTraffic): Step[] {
  return new StepWriter(parts, traffic, 'backward').write();
}

/** The backward pass of schedules that postpone weight gradients: what would hide behind these shows. */
export function inputGradientSteps(parts: LayerParts, traffic: LayerTraffic): Step[] {
  return new StepWriter(parts, traffic, 'inputGradient').write();
}

export function weightGradientSteps({ operators }: LayerParts): Step[] {
  return [...operators]
    .reverse()
    .filter(({ weightGradient }) => weightGradient > 0)
    .map(({ operator, weightGradient }) => ({ kind: 'compute', name: operator.name, seconds: weightGradient }));
}

/** Matrices of one column-row pair, and the operators at which their traffic is. */
interface Pair {
  readonly columns: readonly TimedOperator[];
  readonly rows: readonly TimedOperator[];
}

class StepWriter {
  private readonly steps: Step[] = [];
  private readonly pairOf = new Map<TimedOperator, Pair>();

  constructor(
    private readonly parts: LayerParts,
    private readonly traffic: LayerTraffic,
    private readonly direction: Direction,
  ) {
    if (traffic.tensor === undefined) return;
    const last = parts.operators.findIndex(({ operator }) => operator.name === 'attentionResidual');
    this.addPair(parts.operators.filter((_, i) => parts.parallel || i <= last));
    if (!parts.parallel) this.addPair(parts.operators.filter((_, i) => i > last));
  }

  private addPair(operators: readonly TimedOperator[]): void {
    const columns: TimedOperator[] = [];
    const rows: TimedOperator[] = [];
    for (const one of operators) {
      if (one.operator.kind !== 'gemm') continue;
      if (one.operator.split === 'column') columns.push(one);
      else if (one.operator.split === 'row') rows.push(one);
    }
    const pair = { columns, rows };
    // A recomputation that stops early has the columns of its last pair alone.
    if (columns.length === 0 || (rows.length === 0 && this.direction !== 'forward')) return;
    for (const one of [...pair.columns, ...pair.rows]) this.pairOf.set(one, pair);
  }

  write(): Step[] {
    const { operators } = this.parts;
    if (this.direction === 'forward') for (const one of operators) this.forward(one);
    else for (const one of [...operators].reverse()) this.backward(one);
    return this.steps;
  }

  private compute(name: string, seconds: number): void {
    if (seconds > 0) this.steps.push({ kind: 'compute', name, seconds });
  }

  private exchange(name: string, stream: 'tensor' | 'context' | 'expert', seconds: number): void {
    if (seconds > 0) this.steps.push({ kind: 'exchange', name, stream, seconds });
  }

  /** Traffic of a pair beside the kernel that it overlaps with, or before or after it where it does not. */
  private tensor(
    name: string,
    seconds: number,
    kernel: string,
    kernelSeconds: number,
    how: 'whole' | 'gather' | 'scatter' | 'before' | 'after',
  ): void {
    const pieces = this.traffic.tensor?.ranks ?? 1;
    if (how === 'before') this.exchange(name, 'tensor', seconds);
    if (seconds <= 0 || how === 'before' || how === 'after') this.compute(kernel, kernelSeconds);
    else if (kernelSeconds <= 0) this.exchange(name, 'tensor', seconds);
    else this.steps.push({ kind: 'beside', how, pieces, name, stream: 'tensor', seconds, kernel, kernelSeconds });
    if (how === 'after') this.exchange(name, 'tensor', seconds);
  }

  private forward(one: TimedOperator): void {
    const { operator, forward } = one;
    const pair = this.pairOf.get(one);
    const { tensor } = this.traffic;
    if (pair !== undefined && tensor !== undefined) {
      const seconds = sum(pair.columns.includes(one) ? pair.columns : pair.rows, (each) => each.forward);
      if (one === pair.columns[0])
        this.tensor('gather', tensor.gatherSeconds, operator.name, seconds, tensor.chunks ? 'gather' : 'before');
      if (one === pair.rows[pair.rows.length - 1])
        this.tensor('scatter', tensor.sumSeconds, operator.name, seconds, tensor.chunks ? 'scatter' : 'after');
      return;
    }
    if (operator.kind === 'attention') this.attention(forward, this.traffic.context?.forward);
    else if (operator.name === 'expertUp') this.between('dispatch', operator.name, forward, undefined);
    else if (operator.name === 'expertDown') this.between(undefined, operator.name, forward, 'combine');
    else this.compute(operator.name, forward);
  }

  private backward(one: TimedOperator): void {
    const { operator, inputGradient } = one;
    const weightGradient = this.direction === 'backward' ? one.weightGradient : 0;
    const pair = this.pairOf.get(one);
    if (pair !== undefined) {
      if (one === pair.rows[pair.rows.length - 1]) this.rowBackward(pair, operator.name);
      if (one === pair.columns[0]) this.columnBackward(pair, operator.name);
      return;
    }
    const seconds = inputGradient + weightGradient;
    if (operator.kind === 'attention') this.attention(seconds, this.traffic.context?.backward);
    else if (operator.name === 'expertDown') this.between('combine', operator.name, seconds, undefined);
    else if (operator.name === 'expertUp') this.between(undefined, operator.name, seconds, 'dispatch');
    else this.compute(operator.name, seconds);
  }

  /** The gradient of the pair's output is gathered (with sequence parallelism) before it goes through the rows. */
  private rowBackward({ rows }: Pair, name: string): void {
    const { tensor } = this.traffic;
    const seconds = sum(rows, (each) => each.inputGradient);
    const how = tensor?.chunks === true ? 'gather' : 'before';
    this.tensor('gather gradient', tensor?.gradientGatherSeconds ?? 0, name, seconds, how);
    if (this.direction === 'backward')
      this.compute(
        `${name} weights`,
        sum(rows, (each) => each.weightGradient),
      );
  }

  /**
   * The input is gathered again for the weight gradient, beside the input gradient, and the input gradient is summed beside the weight
   * gradient (Korthikanti et al. 2022, section 4.2.2; `LinearWithGradAccumulationAndAsyncCommunication` of Megatron).
   */
  private columnBackward({ columns }: Pair, name: string): void {
    const { tensor } = this.traffic;
    const beside = tensor?.chunks === true || tensor?.async === true;
    const input = sum(columns, (each) => each.inputGradient);
    const weights = this.direction === 'backward' ? sum(columns, (each) => each.weightGradient) : 0;
    this.tensor('gather input', tensor?.inputGatherSeconds ?? 0, name, input, beside ? 'whole' : 'before');
    const total = tensor?.gradientSumSeconds ?? 0;
    this.tensor('sum gradient', total, `${name} weights`, weights, beside ? 'whole' : 'before');
  }

  /** Ring: each block beside the send of the next one's keys and values. Else the traffic before, and after it. */
  private attention(seconds: number, traffic: ContextTraffic['forward'] | undefined): void {
    if (traffic === undefined) {
      this.compute('attention', seconds);
      return;
    }
    const { blocks, sendSeconds, beforeSeconds, afterSeconds } = traffic;
    this.exchange('gather keys', 'context', beforeSeconds);
    const block = seconds / blocks;
    if (blocks > 1) {
      const name = 'send keys';
      const common = { kind: 'beside', how: 'whole', pieces: 1, name, stream: 'context', kernel: 'attention' } as const;
      this.steps.push({ ...common, seconds: sendSeconds, kernelSeconds: block, times: blocks - 1 });
    }
    this.compute('attention', block);
    this.exchange('scatter keys', 'context', afterSeconds);
  }

  private between(before: string | undefined, name: string, seconds: number, after: string | undefined): void {
    const half = this.traffic.expertSeconds / 2;
    if (before !== undefined) this.exchange(before, 'expert', half);
    this.compute(name, seconds);
    if (after !== undefined) this.exchange(after, 'expert', half);
  }
}

function sum(operators: readonly TimedOperator[], of: (operator: TimedOperator) => number): number {
  return operators.reduce((total, each) => total + of(each), 0);
}
