import { parse } from 'yaml';
import { SlipwayError } from '../errors.js';
import type { Pass, PipelineOrder } from '../parallelism/pipeline/order.js';
import { stageOfChunk } from '../parallelism/stages.js';
import { type OrderShape, type Placed, refuseIllegalOrder } from './checkOrder.js';
import { type FileLimits, readText } from './readText.js';

/** 64 stages of 4,096 micro-batches are two megabytes. */
const limits: FileLimits = { mostBytes: 50_000_000, what: 'a pipeline schedule' };

/** Whether a value of `pipelineSchedule` names a file: no schedule's own name has a dot or a slash. */
export function isOrderFile(name: string): boolean {
  return /[./\\]/.test(name);
}

/** An order as a table gives it: by rank and pass, the slot that the pass stands in. */
export interface OrderTable extends PipelineOrder {
  readonly slots: readonly (readonly number[])[];
}

/** Reads a schedule of the user's own from disk. */
export function loadOrder(path: string, shape: OrderShape): OrderTable {
  return parseOrder(readText(path, limits), path, shape);
}

/**
 * A table of rank x slot: CSV with one line per rank, or a list of lists in YAML or JSON. A cell is `F3` (forward of
 * micro-batch 3), `B3` (whole backward), `b3` (input gradient), `W3` (weight gradient), with `.1` behind it for the rank's
 * chunk 1, or empty for idle. Everything counts from 0. Only the order counts, not the length of the gaps.
 */
export function parseOrder(text: string, file: string, shape: OrderShape): OrderTable {
  const rows = /\.(ya?ml|json)$/i.test(file) ? listRows(text, file) : csvRows(text);
  if (rows.length !== shape.stages) {
    const found = `${rows.length} ${rows.length === 1 ? 'rank' : 'ranks'}`;
    throw refused(file, `a schedule of ${found} for pipelineParallel ${shape.stages}; give one row per rank`);
  }
  const own = chunksOfRanks(shape);
  const ranks = rows.map((row, rank) => passesOf(row, rank, own[rank] ?? [], file));
  refuseIllegalOrder(ranks, own, shape, file);
  return {
    ranks: ranks.map((passes) => passes.map(({ pass }) => pass)),
    slots: ranks.map((passes) => passes.map(({ slot }) => slot)),
    microBatches: shape.microBatches,
    chunks: shape.stages * shape.chunksPerStage,
    rankOf: (chunk) => stageOfChunk(chunk, shape.stages, shape.vShaped),
  };
}

interface Row {
  /** Line of the file, where lines are ranks. */
  readonly line: number | undefined;
  readonly cells: readonly string[];
}

function csvRows(text: string): Row[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line: i + 1, cells: line.split(',').map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.some((cell) => cell !== '') && cells[0]?.startsWith('#') !== true);
}

function listRows(text: string, file: string): Row[] {
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error' });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable';
    throw new SlipwayError('invalid-syntax', `not a list of lists: ${reason}`, { file });
  }
  if (!Array.isArray(value)) throw refused(file, 'not a list of lists: one list of passes per rank');
  return value.map((row: unknown, rank) => {
    if (!Array.isArray(row)) throw refused(file, `rank ${rank} is not a list of passes such as F0, B0`);
    const cells = row.map((cell: unknown) => (cell === null || cell === undefined ? '' : String(cell).trim()));
    return { line: undefined, cells };
  });
}

function chunksOfRanks({ stages, chunksPerStage, vShaped }: OrderShape): number[][] {
  const own: number[][] = Array.from({ length: stages }, () => []);
  for (let chunk = 0; chunk < stages * chunksPerStage; chunk++) own[stageOfChunk(chunk, stages, vShaped)]?.push(chunk);
  return own;
}

const kinds: Readonly<Record<string, Pass['kind']>> = {
  F: 'forward',
  B: 'backward',
  b: 'inputGradient',
  W: 'weightGradient',
};

function passesOf({ line, cells }: Row, rank: number, own: readonly number[], file: string): Placed[] {
  return cells.flatMap((cell, slot): Placed[] => {
    if (cell === '') return [];
    const [, letter = '', microBatch = '', local = '0'] = /^([FBbW])(\d{1,7})(?:\.(\d{1,4}))?$/.exec(cell) ?? [];
    const kind = kinds[letter];
    const place = { rank, slot, cell, line };
    if (kind === undefined) {
      const shown = cell.length > 20 ? `${cell.slice(0, 17)}...` : cell;
      throw refused(file, `rank ${rank}, slot ${slot}: '${shown}' is no pass; write F3, B3, b3, W3 or F3.1`, line);
    }
    const chunk = own[Number(local)];
    if (chunk === undefined) {
      const some = own.length === 1 ? 'the one chunk of a rank is 0' : `chunks of a rank are 0 to ${own.length - 1}`;
      throw refused(
        file,
        `rank ${rank}, slot ${slot}: ${cell} is of chunk ${local}, but ${some}; see virtualStages`,
        line,
      );
    }
    return [{ ...place, local: Number(local), pass: { kind, microBatch: Number(microBatch), chunk } }];
  });
}

function refused(file: string, message: string, line?: number): SlipwayError {
  return new SlipwayError('invalid-run-file', message, { file, ...(line === undefined ? {} : { line }) });
}
