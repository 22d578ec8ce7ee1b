import { parentPort } from 'node:worker_threads';
import {
  chromeTrace,
  type RunFileInput,
  resolveScenario,
  SlipwayError,
  simulateStep,
  timelineSvg,
} from '../../../index.js';
import { exactAnswerOf } from '../scenario/answer.js';
import { answerWhyNot } from './answerWhyNot.js';
import { type GridPoint, gridPoints } from './grid.js';
import type { Reply, Request } from './messages.js';
import { searchPlans } from './runSearch.js';
import { stepPicture } from './simulate.js';

/** Between two pictures of unfinished work. */
const newsMilliseconds = 100;

/** The thread that works while the UI answers keys. */
const port = parentPort;
let grid: AbortController | undefined;
let search: AbortController | undefined;

port?.on('message', (request: Request) => {
  answer(request).catch((error: unknown) => {
    // A mistake of the run is an answer; a bug ends the thread and is shown with its stack.
    if (!(error instanceof SlipwayError)) throw error;
    if ('id' in request) send({ kind: replyTo[request.kind], id: request.id, problem: error.message });
  });
});

const replyTo = {
  estimate: 'estimated',
  simulate: 'simulated',
  grid: 'gridded',
  search: 'searching',
  whyNot: 'answered',
  render: 'rendered',
  stop: 'searching',
} as const;

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case 'estimate': {
      const found = exactAnswerOf(request.run, request.baseDirectory);
      return send({
        kind: 'estimated',
        id: request.id,
        ...(found.ok ? { estimate: found.estimate } : { problem: found.message }),
      });
    }
    case 'simulate':
      return send({ kind: 'simulated', id: request.id, result: stepPicture(request.run, request.baseDirectory) });
    case 'grid':
      return vary(request);
    case 'search':
      return plan(request);
    case 'whyNot':
      return send({ kind: 'answered', id: request.id, result: await answerWhyNot(request) });
    case 'stop':
      return search?.abort();
    case 'render': {
      const step = simulateStep(resolveScenario(request.run as RunFileInput, { baseDirectory: request.baseDirectory }));
      const text = request.form === 'trace' ? chromeTrace(step) : timelineSvg(step);
      return send({ kind: 'rendered', id: request.id, text });
    }
  }
}

/** Point by point, so that the chart fills and a newer question need not wait for the end of an older one. */
async function vary({ id, run, axes, baseDirectory }: Extract<Request, { kind: 'grid' }>): Promise<void> {
  grid?.abort();
  const own = new AbortController();
  grid = own;
  const result: GridPoint[] = [];
  let told = performance.now();
  for await (const point of gridPoints(run, axes, baseDirectory, own.signal)) {
    result.push(point);
    if (performance.now() - told < newsMilliseconds) continue;
    told = performance.now();
    send({ kind: 'gridded', id, result });
    await nextTurn();
  }
  if (!own.signal.aborted) send({ kind: 'gridded', id, result, done: true });
}

async function plan({ id, run, held, baseDirectory }: Extract<Request, { kind: 'search' }>): Promise<void> {
  search?.abort();
  const own = new AbortController();
  search = own;
  for await (const news of searchPlans(run, held, baseDirectory, own.signal)) {
    send({ kind: 'searching', id, ...news });
    await nextTurn();
  }
}

/** Lets messages in. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function send(reply: Reply): void {
  port?.postMessage(reply);
}
