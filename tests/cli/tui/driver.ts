import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { exactAnswerOf } from '../../../src/cli/tui/scenario/answer.js';
import type { RunValue } from '../../../src/cli/tui/scenario/runValue.js';
import { ascii, unicode } from '../../../src/cli/tui/screen/glyphs.js';
import { plainText } from '../../../src/cli/tui/screen/row.js';
import { initialState } from '../../../src/cli/tui/state/initialState.js';
import { reduce } from '../../../src/cli/tui/state/reducer.js';
import type { Effect, Event, State } from '../../../src/cli/tui/state/state.js';
import type { Draw } from '../../../src/cli/tui/views/draw.js';
import { frame } from '../../../src/cli/tui/views/frame.js';
import { type GridPoint, gridPoints } from '../../../src/cli/tui/work/grid.js';
import { stepPicture } from '../../../src/cli/tui/work/simulate.js';
import { SlipwayError } from '../../../src/errors.js';

export const drawings = {
  colour: { glyphs: unicode, color: true },
  plain: { glyphs: unicode, color: false },
  ascii: { glyphs: ascii, color: false },
} as const satisfies Readonly<Record<string, Draw>>;

export function exampleRun(name: string): RunValue {
  const file = fileURLToPath(new URL(`../../../examples/${name}.yaml`, import.meta.url));
  return parse(readFileSync(file, 'utf8')) as RunValue;
}

/** A run that is quick to simulate. */
export const smallRun: RunValue = {
  model: 'llama3-8b',
  cluster: 'dgx-h100',
  accelerators: 32,
  strategy: { tensorParallel: 2, pipelineParallel: 4, microBatchSize: 1, globalBatchSize: 64 },
  sequenceLength: 4096,
  training: { tokens: '1T' },
};

export function stateOf(run: RunValue = smallRun, columns = 120, rows = 40): State {
  return initialState({ run, saved: run, file: undefined, baseDirectory: '.', pins: [], size: { columns, rows } });
}

/** The UI without a terminal: threads answer at once, everything else that was asked for is kept to be looked at. */
export class Driver {
  readonly asked: Effect[] = [];
  private readonly working: Promise<void>[] = [];

  constructor(public state: State) {}

  /** Words are keys with a name (`enter`, `ctrl-r`), single characters are themselves. */
  press(...keys: readonly string[]): this {
    for (const key of keys) this.send({ kind: 'keys', keys: [key] });
    return this;
  }

  type(text: string): this {
    return this.press(...text);
  }

  send(event: Event): this {
    const { state, effects } = reduce(this.state, event);
    this.state = state;
    for (const effect of effects) this.perform(effect);
    return this;
  }

  screen(draw: Draw = drawings.plain): string {
    return frame(this.state, draw)
      .map((row) => plainText(row).trimEnd())
      .join('\n');
  }

  /** Waits for what takes more than a turn of the event loop: grids. */
  async done(): Promise<this> {
    while (this.working.length > 0) await this.working.shift();
    return this;
  }

  private async grid({ id, run, axes, baseDirectory }: Extract<Effect, { do: 'grid' }>): Promise<void> {
    const result: GridPoint[] = [];
    const { signal } = new AbortController();
    for await (const point of gridPoints(run, axes, baseDirectory, signal)) result.push(point);
    this.send({ kind: 'gridded', id, result, done: true });
  }

  private perform(effect: Effect): void {
    if (effect.do === 'estimate') {
      const found = exactAnswerOf(effect.run, effect.baseDirectory);
      this.send({
        kind: 'estimated',
        id: effect.id,
        ...(found.ok ? { estimate: found.estimate } : { problem: found.message }),
      });
    } else if (effect.do === 'simulate') this.send({ kind: 'simulated', id: effect.id, ...simulated(effect) });
    else if (effect.do === 'grid') this.working.push(this.grid(effect));
    else this.asked.push(effect);
  }
}

function simulated({ run, baseDirectory }: Extract<Effect, { do: 'simulate' }>) {
  try {
    return { result: stepPicture(run, baseDirectory) };
  } catch (error) {
    if (error instanceof SlipwayError) return { problem: error.message };
    throw error;
  }
}
