import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../errors.js';
import { slurmArrayScript } from '../../interop/slurmArray.js';
import { type SweepDefinition, sweepDigest } from '../../planner/sweep/definition.js';
import { prepareSweep } from '../../planner/sweep/sweepRows.js';
import type { TextStyle } from '../../report/text.js';
import { writeError } from '../output.js';
import type { CommandOutput } from '../program.js';
import type { FlagValues } from '../runFileArguments.js';
import { writeWhole } from '../writeFile.js';
import { runMerge } from './merge.js';
import { shardCount, taskCommand, taskRunFile } from './taskCommand.js';
import { outputsOf } from './whatifFlags.js';

const execute = promisify(execFile);

/** Between two looks at the queue: soon at first, then no more often than an administrator likes. */
const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 10_000;

interface ArrayJob {
  readonly folder: string;
  readonly script: string;
  readonly shardFiles: readonly string[];
  readonly digest: string;
}

/**
 * `--engine slurm`: the sweep as a job array, waited for and merged. Shards stay in a folder beside the first output until all are there: the
 * same command collects what a job left behind, and submits again what is missing.
 */
export async function runOnSlurm(
  file: string | undefined,
  flags: FlagValues,
  definition: SweepDefinition,
  style: TextStyle,
): Promise<CommandOutput> {
  if (file === '-')
    throw new SlipwayError('unsupported', 'the tasks read the run file later; give a file', { key: '--engine' });
  const { grid } = await prepareSweep(definition);
  const job = arrayJob(flags, definition, shardCount(flags, grid.points));
  if (flags.dryRun === true) return { text: job.script, exitCode: 0 };
  mkdirSync(job.folder, { recursive: true });
  writeWhole(join(job.folder, 'run.json'), taskRunFile(definition));
  const id = await jobOf(job);
  await finished(id, job);
  const missing = job.shardFiles.filter((shard) => !existsSync(shard));
  if (missing.length > 0) {
    const message = `job ${id} has ended, but ${missing.length} of ${job.shardFiles.length} shards are missing; its logs are in ${job.folder}; the same command runs what is missing`;
    throw new SlipwayError('unsupported', message, { key: '--engine' });
  }
  const merged = await runMerge(job.shardFiles, flags, style);
  rmSync(job.folder, { recursive: true, force: true });
  return merged;
}

function arrayJob(flags: FlagValues, definition: SweepDefinition, tasks: number): ArrayJob {
  const { jsonl, csv, parquet } = outputsOf(flags);
  const first = jsonl ?? csv ?? parquet;
  if (first === undefined) {
    throw new SlipwayError('invalid-run-file', 'give --jsonl, --csv or --parquet on a file system that all nodes see', {
      key: '--engine',
    });
  }
  const folder = resolve(`${first}.shards`);
  const command = taskCommand(
    thisProgram(),
    join(folder, 'run.json'),
    join(folder, 'shard-{shard}.jsonl'),
    tasks,
    flags,
    definition,
  );
  const cores = typeof flags.workers === 'number' ? [`--cpus-per-task=${flags.workers}`] : [];
  const options = Array.isArray(flags.sbatch) ? flags.sbatch.map(String) : [];
  return {
    folder,
    script: slurmArrayScript({ jobName: 'slipway-whatif', tasks, folder, command, options: [...cores, ...options] }),
    shardFiles: Array.from({ length: tasks }, (_, i) => join(folder, `shard-${i + 1}-of-${tasks}.jsonl`)),
    digest: sweepDigest(definition),
  };
}

/** Node and the script that is running, with what node was told. */
export function thisProgram(): readonly string[] {
  return [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? 'slipway')];
}

/** The job that an earlier run of the same command submitted and that is still in the queue, or a new one. */
async function jobOf({ folder, script, digest }: ArrayJob): Promise<string> {
  const note = join(folder, 'job');
  if (existsSync(note)) {
    const [id = '', of] = readFileSync(note, 'utf8').trim().split(' ');
    if (of === digest && /^\d+$/.test(id) && (await queued(id)) > 0) return id;
  }
  const batch = join(folder, 'array.sbatch');
  writeWhole(batch, script);
  const [id = ''] = (await slurm('sbatch', ['--parsable', batch])).trim().split(';');
  if (!/^\d+$/.test(id))
    throw new SlipwayError('unsupported', `sbatch did not name a job: '${id}'`, { key: '--engine' });
  writeWhole(note, `${id} ${digest}\n`);
  writeError(`slipway: submitted job ${id}; Ctrl-C leaves it running, and the same command collects it\n`);
  return id;
}

/** Waits until nothing of the job is in the queue. */
async function finished(id: string, { shardFiles }: ArrayJob): Promise<void> {
  let wait = FIRST_WAIT_MILLISECONDS;
  let shown = -1;
  while ((await queued(id)) > 0) {
    const done = shardFiles.filter((shard) => existsSync(shard)).length;
    if (done !== shown) writeError(`slipway: job ${id}: ${done} of ${shardFiles.length} shards are done\n`);
    shown = done;
    await new Promise((resume) => setTimeout(resume, wait));
    wait = Math.min(LONGEST_WAIT_MILLISECONDS, wait * 1.5);
  }
}

/** Tasks of a job that are not over. Slurm forgets a job some minutes after its end, and then says that it is no job. */
async function queued(id: string): Promise<number> {
  try {
    const lines = await slurm('squeue', ['--noheader', '--format=%T', `--jobs=${id}`]);
    return lines
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^(COMPLETED|FAILED|CANCELLED|TIMEOUT)/.test(line.trim())).length;
  } catch (error) {
    if (error instanceof SlipwayError && /Invalid job id/i.test(error.message)) return 0;
    throw error;
  }
}

async function slurm(program: string, words: readonly string[]): Promise<string> {
  try {
    return (await execute(program, words)).stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new SlipwayError('unsupported', `there is no ${program} on the path; --dry-run prints the script`, {
        key: '--engine',
      });
    }
    const complaint = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new SlipwayError('unsupported', `${program}: ${complaint.trim()}`, { key: '--engine' });
  }
}
