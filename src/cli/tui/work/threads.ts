import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Reply, Request } from './messages.js';

/** Threads beside the UI's own, each started at its first use: one for what must be there soon, one for searches, one for why-nots. */
export class Threads {
  private quick: Worker | undefined;
  private search: Worker | undefined;
  private why: Worker | undefined;

  constructor(
    private readonly onReply: (reply: Reply) => void,
    private readonly onBroken: (reason: string) => void,
  ) {}

  post(request: Request): void {
    if (request.kind === 'whyNot' || request.kind === 'stop') {
      // It cannot listen while it is at it: what nobody waits for any more ends with its thread.
      void this.why?.terminate();
      this.why = undefined;
    }
    if (request.kind === 'whyNot') {
      this.why = this.start(() => {
        this.why = undefined;
      });
      this.why.postMessage(request);
      return;
    }
    if (request.kind === 'stop' && this.search === undefined) return;
    if (request.kind === 'search' || request.kind === 'stop') {
      this.search ??= this.start(() => {
        this.search = undefined;
      });
      this.search.postMessage(request);
      return;
    }
    this.quick ??= this.start(() => {
      this.quick = undefined;
    });
    this.quick.postMessage(request);
  }

  close(): void {
    void this.quick?.terminate();
    void this.search?.terminate();
    void this.why?.terminate();
  }

  private start(forget: () => void): Worker {
    const worker = new Worker(workerFile());
    worker.unref();
    worker.on('message', this.onReply);
    worker.on('error', (error) => {
      forget();
      this.onBroken(error instanceof Error ? error.message : String(error));
    });
    return worker;
  }
}

/** Beside the bundle in dist/bin/, or the source that is being run as it is. */
function workerFile(): URL {
  const built = new URL('./slipway-worker.mjs', import.meta.url);
  return existsSync(fileURLToPath(built)) ? built : new URL('./worker.ts', import.meta.url);
}
