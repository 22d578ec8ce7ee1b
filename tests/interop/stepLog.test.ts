import { describe, expect, test } from 'vitest';
import { readStepLog } from '../../src/interop/stepLog.js';

const run = { sequencesPerStep: 64, tokensPerStep: 64 * 4096, accelerators: 8 };

function read(...lines: string[]) {
  return readStepLog(lines.join('\n'), 'train.log', run);
}

describe('step times of', () => {
  test('Megatron-LM, in milliseconds, with and without a time stamp', () => {
    const log = read(
      ' iteration      122/  250000 | consumed samples: 7808 | elapsed time per iteration (ms): 86545.2 | global batch size:    64 |',
      ' [2026-03-02 10:00:15] iteration      123/  250000 | consumed samples: 7872 | elapsed time per iteration (ms): 87871.6 | global batch size:    64 |',
    );
    expect(log).toMatchObject({ format: 'Megatron-LM', problems: [] });
    expect(log.samples.map(({ step, line }) => [step, line])).toEqual([
      [122, 1],
      [123, 2],
    ]);
    expect(log.samples[1]?.seconds).toBeCloseTo(87.8716, 9);
  });

  test("DeepSpeed's throughput timer: sequences of a step over its rate", () => {
    const line = (step: number, rate: number) =>
      `[2024-07-17 19:53:24,981] [INFO] [timer.py:258:stop] epoch=0/micro_step=${4 * step}/global_step=${step}, RunningAvgSamplesPerSec=16.12, CurrSamplesPerSec=${rate}, MemAllocated=0.02GB`;
    const log = read(line(10, 16), line(11, 32));
    expect(log.format).toBe('DeepSpeed');
    expect(log.samples.map(({ step, seconds }) => [step, seconds])).toEqual([
      [10, 4],
      [11, 2],
    ]);
  });

  test("DeepSpeed's older timer and its pipeline engine", () => {
    expect(
      read('[timer.py:197:stop] 0/17, RunningAvgSamplesPerSec=15, CurrSamplesPerSec=8, Mem').samples[0],
    ).toMatchObject({ step: 17, seconds: 8 });
    expect(read('steps: 5 loss: 5.2317 iter time (s): 1.234 samples/sec: 51.86').samples[0]).toMatchObject({
      step: 5,
      seconds: 1.234,
    });
  });

  test('torchtitan: tokens of a step over the rate of all accelerators, colours and all', () => {
    const line =
      '\u001b[32m[rank0]:[titan] 2026-05-18 16:04:46,338 - root - INFO - \u001b[31mstep: 14  \u001b[32mloss:  3.24405  \u001b[33mmemory:  9.46GiB(64.99%)  \u001b[34mtps: 8,192  \u001b[36mtflops: 0.52  mfu: 0.17%';
    expect(read(line)).toMatchObject({ format: 'torchtitan', samples: [{ line: 1, step: 14, seconds: 4 }] });
  });

  test('a CSV', () => {
    expect(read('step,seconds', '1,2.5', '2,2.25').samples).toEqual([
      { line: 2, step: 1, seconds: 2.5 },
      { line: 3, step: 2, seconds: 2.25 },
    ]);
  });
});

describe('what does not fit is named', () => {
  test('a batch that is not that of the run file', () => {
    const line = (batch: number) =>
      ` iteration ${batch}/ 9 | elapsed time per iteration (ms): 10.0 | global batch size: ${batch} |`;
    expect(read(line(64), line(128)).problems).toEqual([
      { line: 2, why: 'global batch size is 128 in the log and 64 in the run file' },
    ]);
    // Where no line is left, the reason is the error.
    expect(() => read(line(128))).toThrow('global batch size is 128');
  });

  test('a step that takes two times; the same line from every rank is none', () => {
    expect(read('1,2', '1,2.01', '2,2').problems).toEqual([]);
    expect(read('1,2', '1,3', '2,2').problems).toEqual([
      { line: 2, why: 'step 1 takes 3.00 s here and 2.00 s on line 1; the first counts' },
    ]);
  });

  test('no time at all, or a negative one', () => {
    expect(read('1,fast', '2,-3', '3,2').problems).toEqual([
      { line: 1, why: "'fast' is no number of seconds" },
      { line: 2, why: 'step 2 takes -3 s; expected more than 0' },
    ]);
  });

  test('a file of something else', () => {
    expect(() => read('hello', 'world')).toThrow(
      'holds no step times; known are logs of Megatron-LM, torchtitan, DeepSpeed',
    );
  });
});
