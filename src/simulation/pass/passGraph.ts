import { type StreamName, streamIndex, TaskGraph } from '../engine/taskGraph.js';
import type { LayerRun, PassPlan } from './passPlan.js';
import { isPlain, type LayerPass, type Step } from './steps.js';

/** What a task inside a pass is. */
export interface PassTask {
  readonly name: string;
  /** Which layer of the pass, in the order in which they run; -1 for embedding, head and root unit. */
  readonly layer: number;
  readonly again: boolean;
}

export interface PassTasks {
  readonly graph: TaskGraph;
  readonly tasks: readonly PassTask[];
}

/**
 * Lowers a pass to tasks on the streams of one rank. Without `detail`, kernels in a row of a layer without traffic inside are one task, and
 * tasks are not described: as much as its time needs.
 */
export function passGraph(plan: PassPlan, detail: boolean): PassTasks {
  return new PassBuilder(plan, detail).build();
}

class PassBuilder {
  private readonly graph = new TaskGraph(1);
  private readonly tasks: PassTask[] = [];
  /** What everything that comes next must wait for: the last kernel, and traffic that is waited for. */
  private lastKernel = -1;
  private waiting: number[] = [];
  private layer = -1;
  private again = false;
  private inBucket = 0;
  private bucketSeconds = 0;

  constructor(
    private readonly plan: PassPlan,
    private readonly detail: boolean,
  ) {}

  build(): PassTasks {
    const { plan } = this;
    if (plan.rootGatherSeconds > 0) this.exchange('gather root', 'data', plan.rootGatherSeconds);
    const { runs } = plan;
    let gather = this.gather(runs[0]);
    for (const kernel of plan.before) this.kernel(kernel.name, kernel.seconds);
    runs.forEach((run, r) => {
      for (let i = 0; i < run.count; i++) {
        this.waitFor(gather);
        if (!plan.gathersBeside && run.gatherSeconds > 0) this.exchange('gather', 'data', run.gatherSeconds);
        gather = this.addLayer(run, i + 1 < run.count ? run : runs[r + 1]);
      }
    });
    this.layer = -1;
    if (plan.layersPerBucket === 1) this.flush();
    for (const kernel of plan.after) this.kernel(kernel.name, kernel.seconds);
    this.flush();
    if (plan.rootReduceSeconds > 0) this.exchange('reduce root', 'data', plan.rootReduceSeconds);
    return { graph: this.graph, tasks: this.tasks };
  }

  /** The weights of the next layer travel from now on. */
  private gather(run: LayerRun | undefined): number {
    if (run === undefined || run.gatherSeconds <= 0 || !this.plan.gathersBeside) return -1;
    return this.beside('gather', 'data', run.gatherSeconds);
  }

  private addLayer(run: LayerRun, next: LayerRun | undefined): number {
    this.layer++;
    // The next gather is needed sooner than the gradients of the layer before have to be gone.
    const gather = this.gather(next);
    if (this.inBucket >= this.plan.layersPerBucket) this.flush();
    const copy = run.copySeconds > 0 ? this.beside('copy', 'host', run.copySeconds) : -1;
    for (const { pass, share, again } of run.parts) {
      this.again = again;
      this.addPass(pass, share);
    }
    this.again = false;
    this.waitFor(copy);
    this.bucketSeconds += run.reduceSeconds;
    this.inBucket++;
    // Before the next layer waits for anything.
    if (!this.plan.reducesBeside && this.inBucket >= this.plan.layersPerBucket) this.flush();
    return gather;
  }

  /** Gradients that have come together leave. */
  private flush(): void {
    const seconds = this.bucketSeconds;
    this.bucketSeconds = 0;
    this.inBucket = 0;
    if (seconds <= 0) return;
    if (this.plan.reducesBeside) this.beside('reduce', 'data', seconds);
    else this.exchange('reduce', 'data', seconds);
  }

  private addPass({ steps, besideSeconds, profile }: LayerPass, share: number): void {
    const other = besideSeconds * share > 0 ? this.beside('exchange', 'expert', besideSeconds * share) : -1;
    if (this.detail || !isPlain(profile)) {
      for (const step of steps) this.step(step, share);
    } else this.kernel('layer', profile.freeSeconds * share);
    this.waitFor(other);
  }

  private step(step: Step, share: number): void {
    const seconds = step.seconds * share;
    if (step.kind === 'compute') this.kernel(step.name, seconds);
    else if (step.kind === 'exchange') this.exchange(step.name, step.stream, seconds);
    else if (step.how === 'whole') {
      for (let i = 0; i < (step.times ?? 1); i++) {
        const traffic = this.beside(step.name, step.stream, seconds);
        this.kernel(step.kernel, step.kernelSeconds * share);
        this.waitFor(traffic);
      }
    } else this.inPieces(step.how, step, share);
  }

  private inPieces(how: 'gather' | 'scatter', step: Step & { kind: 'beside' }, share: number): void {
    const { pieces, name, kernel } = step;
    const stream = step.stream === 'tensor' ? 'pieces' : step.stream;
    const seconds = (step.seconds * share) / pieces;
    const kernelSeconds = (step.kernelSeconds * share) / pieces;
    // Pieces of the traffic wait for nothing but each other (gather) or the kernel's (scatter).
    const gathers = how === 'gather' ? Array.from({ length: pieces }, () => this.beside(name, stream, seconds)) : [];
    let last = -1;
    for (let i = 0; i < pieces; i++) {
      this.waitFor(gathers[i] ?? -1);
      this.kernel(kernel, kernelSeconds);
      if (how === 'scatter') last = this.beside(name, stream, seconds);
    }
    this.waitFor(last);
  }

  private waitFor(task: number): void {
    if (task >= 0) this.waiting.push(task);
  }

  private add(stream: StreamName, name: string, seconds: number): number {
    const task = this.graph.add(streamIndex(0, stream), seconds, this.tasks.length);
    if (this.detail) this.tasks.push({ name, layer: this.layer, again: this.again });
    return task;
  }

  private kernel(name: string, seconds: number): void {
    if (seconds <= 0) return;
    const task = this.add('compute', name, seconds);
    for (const earlier of this.waiting) this.graph.after(task, earlier);
    this.waiting = [];
    this.lastKernel = task;
  }

  /** Starts when all that is waited for is done, and is not waited for itself. */
  private beside(name: string, stream: StreamName, seconds: number): number {
    const task = this.add(stream, name, seconds);
    if (this.lastKernel >= 0) this.graph.after(task, this.lastKernel);
    for (const earlier of this.waiting) this.graph.after(task, earlier);
    return task;
  }

  private exchange(name: string, stream: StreamName, seconds: number): void {
    if (seconds <= 0) return;
    this.waiting = [this.beside(name, stream, seconds)];
  }
}
