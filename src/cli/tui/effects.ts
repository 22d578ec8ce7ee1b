import { existsSync } from 'node:fs';
import { estimateMarkdown } from '../../report/estimateMarkdown.js';
import { toJson } from '../../report/json.js';
import { checkRunFileWithExpressions } from '../../scenario/parseRunFile.js';
import { errorLine } from '../errorLine.js';
import { writeWhole } from '../writeFile.js';
import { fromHome, openRunFile, readRun, saveRunFile } from './files.js';
import { runFileText } from './runFileWriting.js';
import { exactAnswerOf } from './scenario/answer.js';
import type { RunValue } from './scenario/runValue.js';
import type { Effect, Event } from './state/state.js';
import type { Reply } from './work/messages.js';
import { Threads } from './work/threads.js';

/** What effects need from the terminal and the process. */
export interface Outside {
  readonly dispatch: (event: Event) => void;
  /** Hands a text to the clipboard of the terminal. */
  readonly copy: (text: string) => void;
  readonly suspend: () => void;
  readonly quit: () => void;
}

type Write = Extract<Effect, { readonly do: 'write' }>;
type Estimate = Extract<Effect, { readonly do: 'estimate' }>;

/** While keys come fast, only the last change is simulated. */
const settleMilliseconds = 40;

/** Does what the reducer wants done: files, threads, clipboard. Everything that comes of it is an event. */
export class Effects {
  private readonly threads: Threads;
  private readonly pendingWrites = new Map<string, Write>();
  private estimating: Estimate | undefined;
  private waiting: readonly Estimate[] = [];
  private delayed: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly outside: Outside) {
    this.threads = new Threads(
      (reply) => this.onReply(reply),
      (reason) => {
        this.estimating = undefined;
        this.waiting = [];
        this.say(`a worker thread ended: ${reason}`);
      },
    );
  }

  readonly perform = (effect: Effect): void => {
    this.attempt(() => this.run(effect));
  };

  close(): void {
    clearTimeout(this.delayed);
    this.threads.close();
  }

  private run(effect: Effect): void | Promise<void> {
    switch (effect.do) {
      case 'estimate':
        return this.estimate(effect);
      case 'simulate':
        clearTimeout(this.delayed);
        this.delayed = setTimeout(() => this.threads.post({ ...effect, kind: 'simulate' }), settleMilliseconds);
        return;
      case 'grid':
        return this.threads.post({ ...effect, kind: 'grid' });
      case 'search':
        return this.threads.post({ ...effect, kind: 'search' });
      case 'whyNot':
        return this.threads.post({ ...effect, kind: 'whyNot' });
      case 'stopSearch':
        return this.threads.post({ kind: 'stop' });
      case 'write':
        return this.write(effect);
      case 'open':
        return this.open(effect.path);
      case 'read':
        return this.read(effect.text);
      case 'calculate':
        return this.calculate(effect.run);
      case 'copy':
        return this.outside.copy(effect.text);
      case 'suspend':
        return this.outside.suspend();
      case 'quit':
        return this.outside.quit();
    }
  }

  /** What a user can cause is said in the UI; a bug is thrown. */
  private attempt(act: () => void | Promise<void>): void {
    try {
      act()?.catch((error: unknown) => this.complain(error));
    } catch (error) {
      this.complain(error);
    }
  }

  private complain(error: unknown): void {
    this.say(
      errorLine(error)
        .replace(/^slipway: /, '')
        .trim(),
    );
  }

  private say(text: string): void {
    this.outside.dispatch({ kind: 'message', message: { text, tone: 'bad' } });
  }

  /** One at a time: of the scenarios that were passed through on the way, only the last one matters. */
  private estimate(request: Estimate): void {
    if (this.estimating !== undefined) {
      const kept = this.waiting.filter(({ passing }) => !(passing && request.passing));
      this.waiting = [...kept, request];
      return;
    }
    this.estimating = request;
    this.threads.post({ kind: 'estimate', id: request.id, run: request.run, baseDirectory: request.baseDirectory });
  }

  private estimated(): void {
    this.estimating = undefined;
    const [next, ...rest] = this.waiting;
    this.waiting = rest;
    if (next !== undefined) this.estimate(next);
  }

  private async open(path: string): Promise<void> {
    this.outside.dispatch({ kind: 'opened', ...(await openRunFile(path)) });
  }

  private async read(text: string): Promise<void> {
    this.outside.dispatch({ kind: 'pastedRun', run: await readRun(text, 'pasted text') });
  }

  private async calculate(run: RunValue): Promise<void> {
    const checked = (await checkRunFileWithExpressions(run)) as RunValue;
    this.outside.dispatch({ kind: 'calculated', run: checked });
  }

  private write(effect: Write): void {
    const { purpose, path, run, baseDirectory, overwrite, thenQuit } = effect;
    if (!overwrite && existsSync(fromHome(path))) {
      this.outside.dispatch({ kind: 'exists', purpose, path, thenQuit });
      return;
    }
    if (purpose === 'save') {
      this.outside.dispatch({ kind: 'saved', path: saveRunFile(path, run), run });
      if (thenQuit) this.outside.quit();
      return;
    }
    if (purpose === 'trace' || purpose === 'svg') {
      const id = `${purpose} ${path}`;
      this.pendingWrites.set(id, effect);
      this.threads.post({ kind: 'render', id, form: purpose, run, baseDirectory });
      return;
    }
    this.writeText(path, this.textOf(effect));
  }

  private textOf({ purpose, run, baseDirectory }: Write): string {
    if (purpose === 'run-yaml') return runFileText(run, 'run.yaml', undefined);
    if (purpose === 'run-json') return runFileText(run, 'run.json', undefined);
    const answer = exactAnswerOf(run, baseDirectory);
    if (!answer.ok) throw new Error(answer.message);
    return purpose === 'estimate-json' ? toJson(answer.estimate) : estimateMarkdown(answer.estimate);
  }

  private writeText(path: string, text: string): void {
    writeWhole(fromHome(path), text);
    this.outside.dispatch({ kind: 'message', message: { text: `wrote ${path}`, tone: 'good' } });
  }

  private onReply(reply: Reply): void {
    if (reply.kind === 'estimated') this.estimated();
    if (reply.kind === 'rendered') this.rendered(reply);
    else this.outside.dispatch(reply);
  }

  private rendered(reply: Extract<Reply, { readonly kind: 'rendered' }>): void {
    const write = this.pendingWrites.get(reply.id);
    this.pendingWrites.delete(reply.id);
    const { text } = reply;
    if (text === undefined || write === undefined) this.say(reply.problem ?? 'nothing to write');
    else this.attempt(() => this.writeText(write.path, text));
  }
}
