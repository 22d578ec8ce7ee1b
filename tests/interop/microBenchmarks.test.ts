import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readGemmCsv } from '../../src/interop/gemmCsv.js';
import { readNcclTests } from '../../src/interop/ncclTests.js';

const ranks = (hosts: readonly string[]) =>
  hosts.map(
    (host, rank) => `#  Rank  ${rank} Group  0 Pid   18${rank} on   ${host} device  0 [0x8d] NVIDIA H100 80GB HBM3`,
  );
const row =
  '     1048576        262144     float     sum      -1    42.50   24.67   43.18      0    42.60   24.61   43.07      0';

describe('nccl-tests', () => {
  test('the example: out-of-place times in seconds, ranks and nodes from the device list', () => {
    const text = readFileSync('examples/calibrate/all_reduce_perf.txt', 'utf8');
    const measured = readNcclTests(text, 'all_reduce_perf.txt');
    expect(measured).toMatchObject({ kind: 'allReduce', ranks: 8, nodes: 1, problems: [] });
    expect(measured.samples).toHaveLength(14);
  });

  test('with a root column, without one, and without a reduction', () => {
    const seconds = (line: string) =>
      readNcclTests([...ranks(['a', 'b']), line].join('\n'), 'all_gather.log').samples[0]?.seconds;
    expect(seconds(row)).toBeCloseTo(42.5e-6, 12);
    expect(seconds('1048576 262144 float sum 42.50 24.67 43.18 1e-07 42.60 24.61 43.07 N/A')).toBeCloseTo(42.5e-6, 12);
    expect(seconds('1048576 262144 float 42.50 24.67 43.18 0e+00 42.60 24.61 43.07 0e+00')).toBeCloseTo(42.5e-6, 12);
  });

  test('counts nodes by their names, and takes the collective from the command before the file', () => {
    const text = ['mpirun ./build/reduce_scatter_perf -b 8', ...ranks(['a', 'a', 'b', 'b']), row].join('\n');
    expect(readNcclTests(text, 'all_gather.log')).toMatchObject({ kind: 'reduceScatter', ranks: 4, nodes: 2 });
    expect(() => readNcclTests([...ranks(['a', 'b']), row].join('\n'), 'x.log')).toThrow('name the file after one of');
  });

  test('names transfers that failed their check, and a build without MPI', () => {
    const wrong = row.replace('43.18      0', '43.18      7');
    const measured = readNcclTests([...ranks(['a', 'b']), row, wrong].join('\n'), 'all_reduce.log');
    expect(measured.problems).toEqual([{ line: 4, why: '7 wrong results: the transfer failed its check' }]);
    expect(measured.samples).toHaveLength(1);
    const alone = ranks(['a', 'b']).map((line) => line.replace(/Rank {2}\d/, 'Rank  0'));
    expect(() => readNcclTests([...alone, row].join('\n'), 'all_reduce.log')).toThrow('built without MPI');
  });
});

describe('GEMM timings', () => {
  test('columns in any order, seconds or microseconds, bf16 where no dtype is given', () => {
    expect(readGemmCsv('k,n,m,microseconds\n3,2,1,4e6', 'g.csv').samples).toEqual([
      { line: 2, m: 1, n: 2, k: 3, seconds: 4, format: 'bf16' },
    ]);
    expect(readGemmCsv('m,n,k,seconds,dtype\n1,2,3,4,mxfp8', 'g.csv').samples[0]).toMatchObject({
      seconds: 4,
      format: 'fp8',
    });
  });

  test('name what cannot be read', () => {
    expect(() => readGemmCsv('m,n,seconds\n1,2,3', 'g.csv')).toThrow('lacks the column k');
    expect(() => readGemmCsv('m,n,k,seconds\n', 'g.csv')).toThrow('holds no GEMM timings');
    expect(
      readGemmCsv('m,n,k,seconds,dtype\n1,2,3,4,int4\n1,2,0,4,bf16\n1,2,3,4,bf16', 'g.csv').problems,
    ).toMatchObject([
      { line: 2, why: expect.stringContaining("dtype 'int4'") },
      { line: 3, why: "'1,2,0,4,bf16' is not four positive numbers" },
    ]);
  });
});
