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
import { pointOf } from './grid.js';
import type { Reply, Request } from './messages.js';
import { searchPlans } from './runSearch.js';
import { stepPicture } from './simulate.js';

/** The thread that works while the UI answers keys. */
const port = parentPort;
let newestGrid = '';
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
      return grid(request);
    case 'search':
      return plan(request);
    case 'stop':
      return search?.abort();
    case 'render': {
      const step = simulateStep(resolveScenario(request.run as RunFileInput, { baseDirectory: request.baseDirectory }));
      const text = request.form === 'trace' ? chromeTrace(step) : timelineSvg(step);
      return send({ kind: 'rendered', id: request.id, text });
    }
  }
}

/** Point by point, so that a newer question need not wait for the end of an older one. */
async function grid({ id, points, baseDirectory }: Extract<Request, { kind: 'grid' }>): Promise<void> {
  newestGrid = id;
  const result = [];
  for (const run of points) {
    result.push(pointOf(run, baseDirectory));
    if (result.length % 8 === 0) await nextTurn();
    if (newestGrid !== id) return;
  }
  send({ kind: 'gridded', id, result });
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
