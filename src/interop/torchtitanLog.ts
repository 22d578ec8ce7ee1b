import type { StepLogFormat } from './stepLog.js';

/**
 * torchtitan: `[rank0]:[titan] 2026-05-18 16:04:46,338 - root - INFO - step: 14  loss: 3.2  memory: 9.46GiB(64.99%)  tps: 7,282  tflops: ...  mfu: ...`.
 * `tps` are tokens per second of one accelerator (its share of the batch over the degrees that do not split it).
 */
export const torchtitanLog: StepLogFormat = {
  name: 'torchtitan',
  readLine(line, { tokensPerStep, accelerators }) {
    const found = /\bstep:\s*(\d+)\b.*?\btps:\s*([\d,.]+)/.exec(line);
    if (found === null) return undefined;
    const tokensPerSecond = Number(found[2]?.replaceAll(',', ''));
    return { step: Number(found[1]), seconds: tokensPerStep / (tokensPerSecond * accelerators) };
  },
};
