import { existsSync } from 'node:fs';
import { canonical, type SweepDefinition, sweepDigest } from '../../planner/sweep/definition.js';
import type { Cell } from '../../planner/sweep/figures.js';
import { pointsOfShard, type Shard } from '../../planner/sweep/shard.js';
import { prepareSweep, type Sweep } from '../../planner/sweep/sweepRows.js';
import { Summary, type SweepSummary } from '../../planner/sweep/sweepSummary.js';
import { grouped } from '../../quantity/format.js';
import type { TextStyle } from '../../report/text.js';
import { interruption } from '../interruption.js';
import { writeError } from '../output.js';
import type { CommandOutput } from '../program.js';
import type { FlagValues } from '../runFileArguments.js';
import { blockStream, worthWorkers } from './blockStream.js';
import { isDoneSweep } from './doneSweep.js';
import { Journal } from './journal.js';
import { Progress } from './progress.js';
import type { RowSink } from './rowSink.js';
import { isDoneShard } from './shardFile.js';
import { definitionOf, metricOf, type OutputFiles, outputsOf, shardOf, workersOf } from './whatifFlags.js';
import { answerText, openSinks } from './whatifOutput.js';

/** Rows kept for tables and charts; files get all of them. */
const MOST_KEPT = 20_000;

/** `slipway whatif [run.yaml] --vary ...`: exit 1 where no point fits, 130 where Ctrl-C ended it early. */
export async function runWhatif(
  file: string | undefined,
  flags: FlagValues,
  style: TextStyle,
  release: string,
): Promise<CommandOutput> {
  if (flags.sensitivity !== undefined) return (await import('./sensitivity.js')).runSensitivity(file, flags, style);
  const definition = definitionOf(file, flags, release);
  if (flags.engine === 'slurm') return (await import('./slurmEngine.js')).runOnSlurm(file, flags, definition, style);
  if (flags.engine === 'kubernetes') return (await import('./kubernetesEngine.js')).printJob(flags, definition);
  const sweep = await prepareSweep(definition);
  const shard = shardOf(flags, process.env);
  const files = outputsOf(flags, shard);
  if (isDoneShard(files.jsonl, sweep, shard)) {
    return { text: `shard ${shard.index} of ${shard.count} is done: ${files.jsonl}\n`, exitCode: 0 };
  }
  if (shard.count === 1 && flags.json !== true && isDoneSweep(files, sweep)) {
    const names = Object.values(files).join(', ');
    const text = `these ${grouped(sweep.grid.points)} points are done: ${names}; remove it to work them out again\n`;
    return { text, exitCode: 0 };
  }
  const metric = metricOf(flags, definition);
  const result = await collected(sweep, { shard, files, metric, workers: workersOf(flags), keep: flags.json === true });
  const text = answerText(sweep, { summary: result.summary, files, metric, json: flags.json === true, style });
  return { text, exitCode: result.stopped ? 130 : result.summary.counts.fits > 0 ? 0 : 1 };
}

export interface CollectOptions {
  readonly shard: Shard;
  readonly files: OutputFiles;
  readonly metric: string;
  readonly workers: number;
  /** Keep every row for the answer, however many. */
  readonly keep: boolean;
}

/**
 * Runs a sweep into its files. What an earlier run left in the journal beside the first file is taken from there; the files appear under
 * their own names when all of it is done.
 */
async function collected(
  sweep: Sweep,
  { shard, files, metric, workers, keep }: CollectOptions,
): Promise<{ readonly summary: SweepSummary; readonly stopped: boolean }> {
  const points = pointsOfShard(sweep.grid.points, shard);
  const summary = new Summary(sweep, metric, keep ? Number.POSITIVE_INFINITY : MOST_KEPT);
  const sinks = await openSinks(sweep, shard, files);
  const take = async (rows: Cell[][]): Promise<void> => {
    summary.add(rows);
    for (const sink of sinks) await sink.write(rows);
  };
  const interrupt = interruption();
  try {
    const opened = await openJournal(sweep.definition, shard, points, files, take);
    const skip = opened?.rows ?? 0;
    const progress = new Progress(points, skip);
    let done = skip;
    const many = worthWorkers(sweep, points - skip) ? workers : 1;
    for await (const lines of blockStream(sweep, { shard, skip, workers: many, signal: interrupt.signal })) {
      opened?.journal.append(lines);
      const rows = JSON.parse(`[${lines.trimEnd().replaceAll('\n', ',')}]`) as Cell[][];
      await take(rows);
      done += rows.length;
      progress.update(done);
    }
    progress.end();
    await settle(sinks, opened?.journal, done === points);
    if (done < points) writeError(stoppedText(done, points, opened?.journal));
    return { summary: summary.summary, stopped: done < points };
  } catch (error) {
    for (const sink of sinks) sink.abandon();
    throw error;
  } finally {
    interrupt.end();
  }
}

async function openJournal(
  definition: SweepDefinition,
  shard: Shard,
  points: number,
  { jsonl, csv, parquet }: OutputFiles,
  replay: (rows: Cell[][]) => Promise<void>,
): Promise<{ readonly journal: Journal; readonly rows: number } | undefined> {
  const first = jsonl ?? csv ?? parquet;
  if (first === undefined) return undefined;
  const header = { sweep: sweepDigest(definition), shard: canonical(shard), points };
  return Journal.open(`${first}.partial`, header, replay);
}

async function settle(sinks: readonly RowSink[], journal: Journal | undefined, complete: boolean): Promise<void> {
  if (complete) for (const sink of sinks) await sink.finish();
  else for (const sink of sinks) sink.abandon();
  if (complete) journal?.remove();
  else journal?.close();
}

function stoppedText(done: number, points: number, journal: Journal | undefined): string {
  const kept =
    journal !== undefined && existsSync(journal.file)
      ? `; the same command goes on from there (${journal.file})`
      : '; with --jsonl, --csv or --parquet the same command would go on from there';
  return `slipway: stopped at ${grouped(done)} of ${grouped(points)} points${kept}\n`;
}
