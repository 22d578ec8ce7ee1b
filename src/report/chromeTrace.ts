import type { FrozenGraph } from '../simulation/engine/taskGraph.js';
import { type StreamName, streamNames, streamsPerRank } from '../simulation/engine/taskGraph.js';
import { type InnerTask, innerTasks } from '../simulation/innerTasks.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import type { TaskInfo } from '../simulation/stepTasks.js';
import { kindNames, letters } from './timelineSpans.js';

/**
 * The step in the trace-event format (JSON object form) that chrome://tracing and Perfetto open: a process per stage, a thread
 * per stream, a complete event per task, a flow from every message to the pass that waits for it, a counter of allocated bytes. Below them the kernels
 * and transfers inside the passes between two moments, as many as there is room for.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (as of 2024).
 */
export function chromeTrace(step: SimulatedStep, fromSeconds = 0, toSeconds = step.makespanSeconds): string {
  const { prepared: p, order } = step;
  const events = new Events();
  const inner = innerTasks(step, fromSeconds, toSeconds);
  addNames(step, inner, events);
  addTasks(step, events);
  addInnerTasks(inner, events);
  addCounters(step, events);
  const about = {
    model: p.model.name,
    schedule: step.schedule.id,
    stages: order.ranks.length,
    microBatches: order.microBatches,
    stepSeconds: step.stepSeconds,
  };
  return `{"displayTimeUnit":"ms","otherData":${JSON.stringify(about)},"traceEvents":[\n${events.text()}\n]}\n`;
}

/** Events as text, joined now and then: a step of 100,000 tasks has half a million of them. */
class Events {
  private readonly blocks: string[] = [];
  private open: string[] = [];

  add(event: string): void {
    this.open.push(event);
    if (this.open.length < 2048) return;
    this.blocks.push(this.open.join(',\n'));
    this.open = [];
  }

  text(): string {
    return [...this.blocks, ...(this.open.length > 0 ? [this.open.join(',\n')] : [])].join(',\n');
  }
}

/** Whole nanoseconds, so that an event ends exactly where the next one starts; printed in microseconds. */
function nanoseconds(seconds: number): number {
  return Math.round(seconds * 1e9);
}

/** Built by hand: `toFixed` is most of the time that a large trace takes. */
function microseconds(nanos: number): string {
  const whole = Math.floor(nanos / 1000);
  const rest = nanos - whole * 1000;
  if (rest === 0) return `${whole}`;
  return `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`;
}

/** Threads of what is inside passes come below those of the stage's own streams. */
const innerThread = 16;

const innerNames: Readonly<Record<StreamName, string>> = {
  compute: 'kernels',
  tensor: 'tensor parallel',
  pieces: 'tensor parallel in pieces',
  context: 'context parallel',
  expert: 'expert parallel',
  send: 'send',
  data: 'sharded weights',
  host: 'host copies',
};

/** Names of processes and threads, and the order in which they are shown: stages from the top, compute first. */
function addNames({ graph }: SimulatedStep, inner: readonly InnerTask[], events: Events): void {
  const used = new Set(graph.streams);
  const usedInside = new Set(inner.map(({ rank, stream }) => rank * streamsPerRank + streamNames.indexOf(stream)));
  const meta = (name: string, pid: number, tid: number, args: object): void => {
    events.add(JSON.stringify({ ph: 'M', name, pid, tid, ts: 0, args }));
  };
  for (let rank = 0; rank < graph.ranks; rank++) {
    meta('process_name', rank, 0, { name: `stage ${rank}` });
    meta('process_sort_index', rank, 0, { sort_index: rank });
    streamNames.forEach((name, tid) => {
      if (!used.has(rank * streamsPerRank + tid)) return;
      meta('thread_name', rank, tid, { name });
      meta('thread_sort_index', rank, tid, { sort_index: tid });
    });
    streamNames.forEach((name, i) => {
      if (!usedInside.has(rank * streamsPerRank + i)) return;
      meta('thread_name', rank, innerThread + i, { name: innerNames[name] });
      meta('thread_sort_index', rank, innerThread + i, { sort_index: innerThread + i });
    });
  }
}

function addTasks(step: SimulatedStep, events: Events): void {
  const { graph, timeline } = step;
  for (let task = 0; task < graph.size; task++) {
    const info = step.tasks[graph.labels[task] ?? 0];
    if (info === undefined) continue;
    const start = nanoseconds(timeline.start[task] ?? 0);
    const end = nanoseconds(timeline.end[task] ?? 0);
    const place = `"pid":${info.rank},"tid":${(graph.streams[task] ?? 0) % streamsPerRank}`;
    const isPass = info.parts !== undefined || info.kind === 'send';
    const args = `{${isPass ? `"microBatch":${info.microBatch},` : ''}"chunk":${info.chunk}}`;
    const span = `"ts":${microseconds(start)},"dur":${microseconds(end - start)}`;
    events.add(`{"ph":"X","name":"${nameOf(info)}","cat":"${info.kind}",${place},${span},"args":${args}}`);
    if (info.kind === 'send') addFlow(step, graph, task, place, events);
  }
}

function addInnerTasks(tasks: readonly InnerTask[], events: Events): void {
  for (const { rank, stream, name, layer, startSeconds, endSeconds } of tasks) {
    const start = nanoseconds(startSeconds);
    const span = `"ts":${microseconds(start)},"dur":${microseconds(nanoseconds(endSeconds) - start)}`;
    const place = `"pid":${rank},"tid":${innerThread + streamNames.indexOf(stream)}`;
    const args = layer < 0 ? '{}' : `{"layer":${layer}}`;
    events.add(`{"ph":"X","name":"${name}","cat":"${stream}",${place},${span},"args":${args}}`);
  }
}

function nameOf({ kind, microBatch }: TaskInfo): string {
  const numbered = kind !== 'gather' && kind !== 'reduce' && kind !== 'optimizer' && kind !== 'checkpoint';
  return numbered ? `${letters[kind]}${microBatch}` : kindNames[kind];
}

/** From the start of a message to the start of the pass on another stage that waits for it. */
function addFlow(
  { timeline, tasks: infos }: SimulatedStep,
  graph: FrozenGraph,
  send: number,
  place: string,
  events: Events,
): void {
  const from = infos[graph.labels[send] ?? 0];
  const end = graph.firstEdge[send + 1] ?? 0;
  for (let e = graph.firstEdge[send] ?? 0; e < end; e++) {
    const task = graph.edges[e] ?? 0;
    const to = infos[graph.labels[task] ?? 0];
    if (from === undefined || to === undefined || to.rank === from.rank || to.parts === undefined) continue;
    const target = `"pid":${to.rank},"tid":${(graph.streams[task] ?? 0) % streamsPerRank}`;
    const leave = microseconds(nanoseconds(timeline.start[send] ?? 0));
    const arrive = microseconds(nanoseconds(timeline.start[task] ?? 0));
    const flowName = `"name":"message","cat":"send","id":${send}`;
    events.add(`{"ph":"s",${flowName},${place},"ts":${leave}}`);
    events.add(`{"ph":"f","bp":"e",${flowName},${target},"ts":${arrive}}`);
    return;
  }
}

/** Bytes over the step, states and the rest stacked. */
function addCounters({ memory }: SimulatedStep, events: Events): void {
  for (const { rank, stateBytes, curve } of memory) {
    for (const [seconds, bytes] of curve) {
      const args = `{"states":${Math.round(stateBytes)},"activations":${Math.max(0, Math.round(bytes - stateBytes))}}`;
      const ts = microseconds(nanoseconds(seconds));
      events.add(`{"ph":"C","name":"allocated bytes","pid":${rank},"tid":0,"ts":${ts},"args":${args}}`);
    }
  }
}
