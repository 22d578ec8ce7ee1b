/** A job array of Slurm: one task a shard. https://slurm.schedmd.com/job_array.html */
export interface SlurmArray {
  readonly jobName: string;
  readonly tasks: number;
  /** Folder for the log of each task. */
  readonly folder: string;
  /** The command of a task, word by word; it learns its part from SLURM_ARRAY_TASK_ID. */
  readonly command: readonly string[];
  /** Further options of sbatch, such as `--partition=cpu`. */
  readonly options: readonly string[];
}

/**
 * The batch script. Indices start at 0, because MaxArraySize bounds the largest index and not their number; a shard does not depend on
 * where they start.
 */
export function slurmArrayScript({ jobName, tasks, folder, command, options }: SlurmArray): string {
  return [
    '#!/bin/bash',
    `#SBATCH --job-name=${jobName}`,
    `#SBATCH --array=0-${tasks - 1}`,
    '#SBATCH --ntasks=1',
    `#SBATCH --output=${folder}/task-%a.log`,
    '#SBATCH --open-mode=append',
    ...options.map((option) => `#SBATCH ${option}`),
    'set -eu',
    `exec ${command.map(shellQuoted).join(' ')}`,
    '',
  ].join('\n');
}

/** A word as the shell takes it, whatever it holds. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
