import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Deadlock, runGraph, type Timeline } from '../../src/simulation/engine/engine.js';
import { type FrozenGraph, streamIndex, streamsPerRank, TaskGraph } from '../../src/simulation/engine/taskGraph.js';

function run(graph: TaskGraph, contention = 1): Timeline {
  const timeline = runGraph(graph.freeze(), contention);
  if ('deadlock' in timeline) throw new Error(`deadlock at ${timeline.stuck.join()}`);
  return timeline;
}

describe('streams', () => {
  test('tasks of one stream run one after the other, those of different streams side by side', () => {
    const graph = new TaskGraph(1);
    graph.add(streamIndex(0, 'compute'), 2, 0);
    graph.add(streamIndex(0, 'compute'), 3, 0);
    graph.add(streamIndex(0, 'data'), 4, 0);
    const { start, end, makespan, events } = run(graph);
    expect([...start]).toEqual([0, 2, 0]);
    expect([...end]).toEqual([2, 5, 4]);
    expect(makespan).toBe(5);
    expect(events).toBe(3);
  });

  test('a task waits for its dependencies, on any rank; its cause is the one that came last', () => {
    const graph = new TaskGraph(3);
    const slow = graph.add(streamIndex(0, 'compute'), 5, 0);
    const fast = graph.add(streamIndex(1, 'send'), 1, 0);
    const both = graph.add(streamIndex(2, 'compute'), 1, 0);
    const next = graph.add(streamIndex(2, 'compute'), 1, 0);
    graph.after(both, slow);
    graph.after(both, fast);
    const { start, cause } = run(graph);
    expect(start[both]).toBe(5);
    expect([...cause]).toEqual([-1, -1, slow, both]);
    expect(start[next]).toBe(6);
  });

  test('tasks that take no time are done all the same', () => {
    const graph = new TaskGraph(2);
    const first = graph.add(streamIndex(0, 'compute'), 0, 0);
    const second = graph.add(streamIndex(1, 'compute'), 0, 0);
    const third = graph.add(streamIndex(0, 'compute'), 0, 0);
    graph.after(second, first);
    graph.after(third, second);
    expect(run(graph)).toMatchObject({ makespan: 0, events: 3 });
  });

  test('nothing to do takes no time', () => {
    expect(run(new TaskGraph(4))).toMatchObject({ makespan: 0, events: 0 });
  });
});

describe('contention', () => {
  test('slows both streams while both are busy, and only then', () => {
    const graph = new TaskGraph(1);
    const compute = graph.add(streamIndex(0, 'compute'), 2, 0);
    const data = graph.add(streamIndex(0, 'data'), 1, 0);
    const { end } = run(graph, 1.5);
    // Both at 2/3 of their speed: the message is through after 1.5 s, 1 s of compute is left.
    expect(end[data]).toBeCloseTo(1.5, 12);
    expect(end[compute]).toBeCloseTo(2.5, 12);
  });

  test('does not hold between ranks, nor between two streams beside an idle compute stream', () => {
    const graph = new TaskGraph(2);
    graph.add(streamIndex(0, 'compute'), 2, 0);
    graph.add(streamIndex(1, 'send'), 2, 0);
    graph.add(streamIndex(1, 'data'), 3, 0);
    expect([...run(graph, 1.5).end]).toEqual([2, 2, 3]);
  });

  test('never makes anything faster', () => {
    fc.assert(
      fc.property(graphs(200), fc.double({ min: 1, max: 2, noNaN: true }), (make, contention) => {
        expect(run(make(), contention).makespan).toBeGreaterThanOrEqual(run(make(), 1).makespan * (1 - 1e-9));
      }),
      { numRuns: 50 },
    );
  });
});

describe('deadlock', () => {
  test('tasks that wait for each other are named, the lowest stream first', () => {
    const graph = new TaskGraph(3);
    graph.add(streamIndex(2, 'compute'), 1, 0);
    const a = graph.add(streamIndex(1, 'compute'), 1, 0);
    const b = graph.add(streamIndex(0, 'compute'), 1, 0);
    graph.after(a, b);
    graph.after(b, a);
    expect(runGraph(graph.freeze(), 1)).toEqual({ deadlock: true, stuck: [b, a] } satisfies Deadlock);
  });

  test('an order on a stream against its dependencies', () => {
    const graph = new TaskGraph(1);
    const first = graph.add(streamIndex(0, 'compute'), 1, 0);
    const second = graph.add(streamIndex(0, 'compute'), 1, 0);
    graph.after(first, second);
    expect(runGraph(graph.freeze(), 1)).toEqual({ deadlock: true, stuck: [first] });
  });
});

describe('any graph', () => {
  test('without contention: exactly when streams and dependencies allow', () => {
    fc.assert(
      fc.property(graphs(300), (make) => {
        const graph = make().freeze();
        expectSame(run(make()), reference(graph));
      }),
    );
  });

  test('100,000 tasks: the same, and no shorter than the longest chain or the busiest stream', () => {
    const graph = randomGraph(1e5, 64, 7);
    const timeline = run(graph);
    expectSame(timeline, reference(graph.freeze()));
    expect(timeline.events).toBe(1e5);
    expectBounds(graph.freeze(), timeline);
  });

  test('100,000 tasks with contention: longest chain and busiest stream are bounds', () => {
    const graph = randomGraph(1e5, 16, 11);
    expectBounds(graph.freeze(), run(graph, 1.2));
  });

  test('the same graph gives the same bits', () => {
    const first = run(randomGraph(20_000, 8, 3), 1.1);
    const second = run(randomGraph(20_000, 8, 3), 1.1);
    expect(second).toEqual(first);
  });

  test('ties, all tasks being equally long, leave nothing out and nothing open', () => {
    fc.assert(
      fc.property(graphs(200, 1), (make) => {
        const graph = make().freeze();
        const timeline = run(make());
        expectSame(timeline, reference(graph));
        timeline.cause.forEach((cause, task) => {
          // Whoever let a task start ended at that very moment.
          expect(cause < 0 ? 0 : timeline.end[cause]).toBe(timeline.start[task]);
        });
      }),
    );
  });
});

/** Every task as early as its stream and its dependencies allow, in order of their numbers, which respects both. */
function reference(graph: FrozenGraph): { start: Float64Array; end: Float64Array; makespan: number } {
  const start = new Float64Array(graph.size);
  const end = new Float64Array(graph.size);
  const freeAt = new Float64Array(graph.ranks * streamsPerRank);
  let makespan = 0;
  for (let task = 0; task < graph.size; task++) {
    const stream = graph.streams[task] ?? 0;
    const begin = Math.max(start[task] ?? 0, freeAt[stream] ?? 0);
    const finish = begin + (graph.seconds[task] ?? 0);
    start[task] = begin;
    end[task] = finish;
    freeAt[stream] = finish;
    makespan = Math.max(makespan, finish);
    for (let e = graph.firstEdge[task] ?? 0; e < (graph.firstEdge[task + 1] ?? 0); e++) {
      const later = graph.edges[e] ?? 0;
      start[later] = Math.max(start[later] ?? 0, finish);
    }
  }
  return { start, end, makespan };
}

function expectSame(timeline: Timeline, expected: ReturnType<typeof reference>): void {
  let worst = 0;
  for (let task = 0; task < expected.start.length; task++) {
    worst = Math.max(worst, Math.abs((timeline.start[task] ?? 0) - (expected.start[task] ?? 0)));
    worst = Math.max(worst, Math.abs((timeline.end[task] ?? 0) - (expected.end[task] ?? 0)));
  }
  expect(worst).toBeLessThanOrEqual(1e-9 * Math.max(1, expected.makespan));
}

function expectBounds(graph: FrozenGraph, { makespan }: Timeline): void {
  const busy = new Float64Array(graph.ranks * streamsPerRank);
  const chain = new Float64Array(graph.size);
  let longest = 0;
  for (let task = 0; task < graph.size; task++) {
    const seconds = graph.seconds[task] ?? 0;
    const stream = graph.streams[task] ?? 0;
    busy[stream] = (busy[stream] ?? 0) + seconds;
    const until = (chain[task] ?? 0) + seconds;
    longest = Math.max(longest, until);
    for (let e = graph.firstEdge[task] ?? 0; e < (graph.firstEdge[task + 1] ?? 0); e++) {
      const later = graph.edges[e] ?? 0;
      chain[later] = Math.max(chain[later] ?? 0, until);
    }
  }
  expect(makespan).toBeGreaterThanOrEqual(longest * (1 - 1e-9));
  expect(makespan).toBeGreaterThanOrEqual(busy.reduce((most, one) => Math.max(most, one), 0) * (1 - 1e-9));
}

/** Makers of graphs of up to `most` tasks whose edges go from lower to higher numbers, as a stream's order does. */
function graphs(most: number, length?: number): fc.Arbitrary<() => TaskGraph> {
  return fc
    .record({ size: fc.integer({ min: 1, max: most }), ranks: fc.integer({ min: 1, max: 5 }), seed: fc.integer() })
    .map(
      ({ size, ranks, seed }) =>
        () =>
          randomGraph(size, ranks, seed, length),
    );
}

function randomGraph(size: number, ranks: number, seed: number, length?: number): TaskGraph {
  const random = mulberry32(seed);
  const graph = new TaskGraph(ranks);
  for (let task = 0; task < size; task++) {
    const stream = Math.floor(random() * ranks * streamsPerRank);
    graph.add(stream, length ?? random() * 10, 0);
    const edges = Math.floor(random() * 3);
    for (let e = 0; e < edges && task > 0; e++) graph.after(task, Math.floor(random() * task));
  }
  return graph;
}

/** A small generator of numbers that look random, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
