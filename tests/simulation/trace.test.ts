import { describe, expect, test } from 'vitest';
import { chromeTrace } from '../../src/report/chromeTrace.js';
import type { SimulatedStep } from '../../src/simulation/simulate.js';
import { smallStep } from './smallStep.js';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Keys that the trace-event format asks for, by phase. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  X: ['name', 'pid', 'tid', 'ts', 'dur'],
  M: ['name', 'pid', 'args'],
  s: ['name', 'cat', 'id', 'pid', 'tid', 'ts'],
  f: ['name', 'cat', 'id', 'pid', 'tid', 'ts', 'bp'],
  C: ['name', 'pid', 'ts', 'args'],
};

/** What is wrong with a trace by the rules of the format; nothing where it is right. */
function mistakes(events: readonly TraceEvent[]): string[] {
  const found: string[] = [];
  for (const event of events) {
    const keys = requiredKeys[event.ph];
    if (keys === undefined) found.push(`phase ${event.ph}`);
    for (const key of keys ?? []) if (!(key in event)) found.push(`${event.ph} without ${key}`);
    if (!Number.isFinite(event.ts) || event.ts < 0) found.push(`${event.name} at ${event.ts}`);
    if (event.ph === 'X' && !((event.dur ?? -1) >= 0)) found.push(`${event.name} lasts ${event.dur}`);
    if (
      event.ph === 'C' &&
      !Object.values(event.args ?? {}).every((value) => typeof value === 'number' && value >= 0)
    ) {
      found.push(`counter ${JSON.stringify(event.args)}`);
    }
  }
  return [...found, ...overlaps(events), ...loose(events)];
}

/** Nanoseconds, in which the trace is exact. */
function nanos(microseconds: number): number {
  return Math.round(microseconds * 1000);
}

function overlaps(events: readonly TraceEvent[]): string[] {
  const endOf = new Map<string, number>();
  const sorted = events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts || (a.dur ?? 0) - (b.dur ?? 0));
  return sorted.flatMap((event) => {
    const thread = `${event.pid}/${event.tid}`;
    const before = endOf.get(thread) ?? 0;
    const start = nanos(event.ts);
    endOf.set(thread, start + nanos(event.dur ?? 0));
    return start < before ? [`${event.name} at ${event.ts} overlaps on ${thread}`] : [];
  });
}

/** Flows with one end, or whose ends touch no slice. */
function loose(events: readonly TraceEvent[]): string[] {
  const starts = new Map(events.filter(({ ph }) => ph === 's').map((event) => [event.id, event]));
  const ends = new Map(events.filter(({ ph }) => ph === 'f').map((event) => [event.id, event]));
  const slices = new Set(events.filter(({ ph }) => ph === 'X').map(({ pid, tid, ts }) => `${pid}/${tid}/${nanos(ts)}`));
  const found: string[] = [];
  for (const [id, start] of starts) {
    const end = ends.get(id);
    if (end === undefined) found.push(`flow ${id} never arrives`);
    else if (end.ts < start.ts) found.push(`flow ${id} arrives before it leaves`);
    else if (end.pid === start.pid) found.push(`flow ${id} stays on its stage`);
  }
  for (const id of ends.keys()) if (!starts.has(id)) found.push(`flow ${id} comes from nowhere`);
  for (const event of [...starts.values(), ...ends.values()]) {
    if (!slices.has(`${event.pid}/${event.tid}/${nanos(event.ts)}`)) found.push(`flow ${event.id} touches no slice`);
  }
  return found;
}

function simulated(strategy: object): SimulatedStep {
  return smallStep(strategy, 'a "small" model');
}

function eventsOf(step: SimulatedStep): readonly TraceEvent[] {
  return (JSON.parse(chromeTrace(step)) as { traceEvents: TraceEvent[] }).traceEvents;
}

describe('the validator', () => {
  const slice: TraceEvent = { ph: 'X', name: 'F0', pid: 0, tid: 0, ts: 0, dur: 2 };

  test.each<[string, readonly TraceEvent[]]>([
    ['phase Q', [{ ...slice, ph: 'Q' }]],
    ['F0 lasts -1', [{ ...slice, dur: -1 }]],
    ['overlaps', [slice, { ...slice, ts: 1 }]],
    ['never arrives', [slice, { ...slice, ph: 's', id: 1 }]],
    ['touches no slice', [slice, { ...slice, ph: 's', id: 1, ts: 1 }]],
    ['without args', [{ ph: 'M', name: 'process_name', pid: 0, tid: 0, ts: 0 }]],
  ])('finds: %s', (message, events) => {
    expect(mistakes(events).join()).toContain(message);
  });
});

describe.each<[string, object]>([
  ['one stage', { tensorParallel: 2 }],
  ['1F1B', { pipelineParallel: 4 }],
  [
    '1F1B whose sends do not overlap',
    { pipelineParallel: 4, overlapPipelineSend: false, overlapGradientReduce: false },
  ],
  ['interleaved', { pipelineParallel: 4, virtualStages: 2 }],
  ['ZB-V', { pipelineParallel: 4, pipelineSchedule: 'zb-v' }],
  ['DualPipe', { pipelineParallel: 4, pipelineSchedule: 'dualpipe', dataSharding: 'ddp' }],
])('the trace of %s', (_, strategy) => {
  const step = simulated(strategy);
  const events = eventsOf(step);

  test('obeys the trace-event format', () => {
    expect(mistakes(events)).toEqual([]);
  });

  test('has a slice for every task, a flow for every message, a name for every stage and stream', () => {
    const count = (ph: string, name?: string): number =>
      events.filter((event) => event.ph === ph && (name === undefined || event.name === name)).length;
    expect(events.filter(({ ph, tid }) => ph === 'X' && tid < 16).length).toBe(step.graph.size);
    expect(count('s')).toBe(step.tasks.filter(({ kind }) => kind === 'send').length);
    expect(count('M', 'process_name')).toBe(step.order.ranks.length);
    const streams = events.filter(({ name, tid }) => name === 'thread_name' && tid < 16);
    expect(streams.length).toBe(new Set(step.graph.streams).size);
    const named = new Set(events.filter(({ name }) => name === 'thread_name').map(({ pid, tid }) => `${pid}/${tid}`));
    for (const { ph, pid, tid } of events) if (ph === 'X') expect(named.has(`${pid}/${tid}`)).toBe(true);
  });

  test('has the kernels and transfers inside every pass, within its bounds', () => {
    const inner = events.filter(({ ph, tid }) => ph === 'X' && tid >= 16);
    expect(inner.length).toBeGreaterThan(step.graph.size);
    const passes = events.filter(({ ph, tid, args }) => ph === 'X' && tid === 0 && args?.microBatch !== undefined);
    for (const { pid, ts, dur = 0 } of inner.filter((_, i) => i % 97 === 0)) {
      const around = passes.filter((pass) => pass.pid === pid && nanos(pass.ts) <= nanos(ts));
      const within = around.some((pass) => nanos(ts) <= nanos(pass.ts + (pass.dur ?? 0)));
      expect(within).toBe(true);
      expect(dur).toBeGreaterThanOrEqual(0);
    }
  });

  test('counts the bytes up to the peak, and ends with the step', () => {
    const bytes = ({ args = {} }: TraceEvent): number => Number(args.states) + Number(args.activations);
    for (const { rank, peakBytes } of step.memory) {
      const counted = events.filter(({ ph, pid }) => ph === 'C' && pid === rank).map(bytes);
      expect(Math.abs(Math.max(...counted) - peakBytes)).toBeLessThan(2);
    }
    const last = Math.max(...events.filter(({ ph }) => ph === 'X').map(({ ts, dur = 0 }) => ts + dur));
    expect(last / 1e6).toBeCloseTo(step.makespanSeconds, 8);
  });
});
