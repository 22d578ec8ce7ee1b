import { SlipwayError } from '../../errors.js';
import { type Cell, figureName } from '../../planner/sweep/figures.js';
import { makeGrid } from '../../planner/sweep/grid.js';
import { pointsOfShard, wholeSweep } from '../../planner/sweep/shard.js';
import type { Sweep } from '../../planner/sweep/sweepRows.js';
import { Summary } from '../../planner/sweep/sweepSummary.js';
import type { TextStyle } from '../../report/text.js';
import type { CommandOutput } from '../program.js';
import type { FlagValues } from '../runFileArguments.js';
import { LineReader } from './lineReader.js';
import { parseShardHead, type ShardHead } from './shardFile.js';
import { metricOf, outputsOf } from './whatifFlags.js';
import { answerText, openSinks } from './whatifOutput.js';

const ROWS_AT_ONCE = 2048;
const MOST_KEPT = 20_000;

/** `slipway merge shard...`: one sweep from its shards, the same bytes as if it had been run at once. Exit 1 where no point fits. */
export async function runMerge(files: readonly string[], flags: FlagValues, style: TextStyle): Promise<CommandOutput> {
  const shards = openShards(files);
  try {
    const [first] = shards;
    if (first === undefined) throw new SlipwayError('invalid-run-file', 'no shard is given');
    const { definition, columns } = first.head;
    const sweep: Pick<Sweep, 'columns' | 'definition'> = { columns, definition };
    const outputs = outputsOf(flags);
    const json = flags.json === true;
    const metric =
      typeof flags.metric === 'string' ? figureName(flags.metric, '--metric') : metricOf(flags, definition);
    const summary = new Summary(sweep, metric, json ? Number.POSITIVE_INFINITY : MOST_KEPT);
    const sinks = await openSinks(sweep, wholeSweep, outputs);
    try {
      for (const rows of mergedRows(shards)) {
        summary.add(rows);
        for (const sink of sinks) await sink.write(rows);
      }
      for (const sink of sinks) await sink.finish();
    } catch (error) {
      for (const sink of sinks) sink.abandon();
      throw error;
    }
    const text = answerText(sweep, { summary: summary.summary, files: outputs, metric, json, style });
    return { text, exitCode: summary.summary.counts.fits > 0 ? 0 : 1 };
  } finally {
    for (const { reader } of shards) reader.close();
  }
}

interface OpenShard {
  readonly head: ShardHead;
  readonly reader: LineReader;
}

/** All shards of one sweep in their order, each once. */
function openShards(files: readonly string[]): readonly OpenShard[] {
  const opened = files.map((file): OpenShard => {
    const reader = new LineReader(file);
    return { reader, head: parseShardHead(reader.next(), file) };
  });
  const [first] = opened;
  const places = new Map<number, OpenShard>();
  for (const shard of opened) {
    const { head, reader } = shard;
    const { index, count } = head.slipwayShard;
    if (first !== undefined && (head.sweep !== first.head.sweep || count !== first.head.slipwayShard.count)) {
      throw new SlipwayError('unsupported', `is a shard of another sweep than ${first.reader.file}`, {
        file: reader.file,
      });
    }
    const other = places.get(index);
    if (other !== undefined) {
      throw new SlipwayError('unsupported', `is shard ${index} of ${count}, like ${other.reader.file}`, {
        file: reader.file,
      });
    }
    places.set(index, shard);
  }
  const count = first?.head.slipwayShard.count ?? 0;
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !places.has(index));
  if (missing.length > 0) {
    const names =
      missing.length > 8 ? `${missing.slice(0, 8).join(', ')} and ${missing.length - 8} more` : missing.join(', ');
    throw new SlipwayError('unsupported', `of ${count} shards, ${missing.length} are missing: ${names}`);
  }
  return [...places].sort(([a], [b]) => a - b).map(([, shard]) => shard);
}

/** Rows in the order of the sweep, taken from the shards in turn; every one is checked to be the point that belongs there. */
function* mergedRows(shards: readonly OpenShard[]): Generator<Cell[][]> {
  const [first] = shards;
  if (first === undefined) return;
  const grid = makeGrid(first.head.definition);
  let rows: Cell[][] = [];
  for (let point = 0; point < grid.points; point++) {
    const shard = shards[point % shards.length] ?? first;
    rows.push(rowOf(shard, point, grid.id(point)));
    if (rows.length < ROWS_AT_ONCE) continue;
    yield rows;
    rows = [];
  }
  for (const { reader, head } of shards) {
    if (reader.next() === undefined) continue;
    const expected = pointsOfShard(grid.points, head.slipwayShard);
    throw new SlipwayError('invalid-syntax', `holds more than the ${expected} points of its shard`, {
      file: reader.file,
    });
  }
  yield rows;
}

function rowOf({ reader, head }: OpenShard, point: number, id: string): Cell[] {
  const line = reader.next();
  if (line === undefined) {
    throw new SlipwayError('invalid-syntax', `ends before point ${point + 1} of the sweep: it is not whole`, {
      file: reader.file,
    });
  }
  let row: Record<string, Cell>;
  try {
    row = JSON.parse(line) as Record<string, Cell>;
  } catch {
    throw new SlipwayError('invalid-syntax', 'holds a line that is not JSON', { file: reader.file });
  }
  if (row.id === id) return head.columns.map(({ name }) => row[name] ?? null);
  const message = `holds the point ${String(row.id)} where point ${point + 1} of the sweep, ${id}, belongs`;
  throw new SlipwayError('invalid-syntax', message, { file: reader.file });
}
