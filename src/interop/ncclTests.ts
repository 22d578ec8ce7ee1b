import { SlipwayError } from '../errors.js';
import type { CollectiveKind } from '../hardware/accelerator.js';
import type { MeasurementProblem } from './stepLog.js';

export interface CollectiveSample {
  readonly line: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** One table of nccl-tests: which collective, over how many ranks on how many nodes. */
export interface CollectiveMeasurement {
  readonly kind: CollectiveKind;
  readonly ranks: number;
  readonly nodes: number;
  readonly samples: readonly CollectiveSample[];
  readonly problems: readonly MeasurementProblem[];
}

const programs: Readonly<Record<string, CollectiveKind>> = {
  all_reduce: 'allReduce',
  all_gather: 'allGather',
  reduce_scatter: 'reduceScatter',
  alltoall: 'allToAll',
};

/**
 * The output of nccl-tests (and of rccl-tests): lines `size count type [redop [root]] time algbw busbw #wrong time algbw busbw #wrong`, out of
 * place first; times in microseconds. Ranks and nodes are those listed under `Using devices`. The program's name is not in its output:
 * it is taken from the command in the log or from the file's name.
 */
export function readNcclTests(text: string, file: string): CollectiveMeasurement {
  const lines = text.split(/\r?\n/);
  const { ranks, nodes } = devicesOf(lines, file);
  const samples: CollectiveSample[] = [];
  const problems: MeasurementProblem[] = [];
  lines.forEach((line, index) => {
    const cells = line.trim().split(/\s+/);
    if (cells.length < 11 || !/^\d+$/.test(cells[0] ?? '')) return;
    const microseconds = Number(cells.at(-8));
    const wrong = cells.at(-5);
    const place = { line: index + 1 };
    if (!(microseconds > 0)) problems.push({ ...place, why: `'${cells.at(-8)}' is no time in microseconds` });
    else if (wrong !== undefined && /^[1-9]\d*$/.test(wrong))
      problems.push({ ...place, why: `${wrong} wrong results: the transfer failed its check` });
    else if (Number(cells[0]) > 0) samples.push({ ...place, bytes: Number(cells[0]), seconds: microseconds / 1e6 });
  });
  if (samples.length === 0) throw new SlipwayError('invalid-syntax', 'holds no table of nccl-tests', { file });
  return { kind: kindOf(text, file), ranks, nodes, samples, problems };
}

function kindOf(text: string, file: string): CollectiveKind {
  for (const source of [text, file]) {
    const name = /\b(all_reduce|all_gather|reduce_scatter|alltoall)(?:_perf)?/.exec(
      source.replaceAll(/[./-]/g, ' '),
    )?.[1];
    const kind = programs[name ?? ''];
    if (kind !== undefined) return kind;
  }
  const known = Object.keys(programs).join(', ');
  const message = `which collective it is stands neither in the log nor in the file's name; name the file after one of ${known}`;
  throw new SlipwayError('invalid-syntax', message, { file });
}

function devicesOf(lines: readonly string[], file: string): { readonly ranks: number; readonly nodes: number } {
  const devices = lines.flatMap((line) => {
    const found = /\bRank\s+(\d+)\b.*\bon\s+(\S+)\s+device\b/.exec(line);
    return found === null ? [] : [{ rank: Number(found[1]), host: found[2] ?? '' }];
  });
  const ranks = new Set(devices.map(({ rank }) => rank)).size;
  if (ranks < 2) {
    const message =
      devices.length > 1
        ? `${devices.length} processes that all call themselves rank 0: nccl-tests was built without MPI, so nothing was sent between them`
        : 'lists fewer than 2 ranks under `Using devices`';
    throw new SlipwayError('invalid-syntax', message, { file });
  }
  return { ranks, nodes: new Set(devices.map(({ host }) => host)).size };
}
