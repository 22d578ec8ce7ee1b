import { type PassKind, passKinds } from '../../parallelism/pipeline/order.js';
import type { Stage } from '../../parallelism/stages.js';
import type { Prepared } from '../prepare.js';
import { ChunkPasses, type LayerTable, type PassParts, partsSeconds } from '../stageCost.js';
import { type CrossingSeconds, crossingBound } from './passBound.js';
import { crossesLayers, type PassPlan } from './passPlan.js';
import { passSeconds, type SimulatedPass, simulatePass } from './passTime.js';
import type { ChunkTraffic } from './passTraffic.js';
import { profileSeconds } from './steps.js';

/** One pass of a chunk as the pipeline's simulation sees it. */
export interface PassCost {
  readonly seconds: number;
  readonly parts: PassParts;
}

const none: CrossingSeconds = { dataSeconds: 0, copySeconds: 0 };

/** The passes of a chunk, each simulated once, layer by layer. */
export class SimulatedPasses {
  private readonly chunk: ChunkPasses;
  /** By kind of pass, and whether it is alone. */
  private readonly costs: PassCost[] = [];
  private readonly timelines = new Map<string, SimulatedPass>();
  private shortfall: number | undefined;

  constructor(
    private readonly p: Prepared,
    layers: LayerTable,
    work: Stage,
    traffic: ChunkTraffic,
  ) {
    this.chunk = new ChunkPasses(p, layers, work, traffic);
  }

  plan(kind: PassKind, alone: boolean): PassPlan {
    return this.chunk.plan(kind, alone);
  }

  /** `alone`: no pass of another micro-batch runs beside it. */
  cost(kind: PassKind, alone: boolean): PassCost {
    const place = 2 * passKinds.indexOf(kind) + (alone ? 1 : 0);
    this.costs[place] ??= this.simulate(kind, alone);
    return this.costs[place];
  }

  private simulate(kind: PassKind, alone: boolean): PassCost {
    this.shortfall ??= this.chunk.shortfallSeconds();
    const crossing = this.chunk.crosses ? this.crossing(this.chunk.plan(kind, alone)) : none;
    const parts = this.chunk.partsOf(kind, alone, crossing, this.shortfall);
    return { seconds: partsSeconds(parts), parts };
  }

  /** What the traffic from layer to layer adds in the simulated pass, told apart as in its bound. */
  private crossing(plan: PassPlan): CrossingSeconds {
    if (!crossesLayers(plan)) return none;
    const { contention } = this.p;
    const added = Math.max(0, passSeconds(plan, contention) - profileSeconds(plan.profile, contention));
    const bound = crossingBound(plan, contention);
    const sum = bound.dataSeconds + bound.copySeconds;
    const data = sum > 0 ? (added * bound.dataSeconds) / sum : plan.runs.some((run) => run.copySeconds > 0) ? 0 : added;
    return { dataSeconds: data, copySeconds: added - data };
  }

  /** Every kernel and transfer of a pass. Its span is that of the pass without what the device waits for the host. */
  timeline(kind: PassKind, alone: boolean): SimulatedPass {
    const key = `${kind} ${alone}`;
    let timeline = this.timelines.get(key);
    if (timeline === undefined) {
      timeline = simulatePass(this.chunk.plan(kind, alone), this.p.contention);
      this.timelines.set(key, timeline);
    }
    return timeline;
  }
}
