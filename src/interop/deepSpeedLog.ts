import type { StepLogFormat } from './stepLog.js';

/**
 * DeepSpeed: `epoch=0/micro_step=40/global_step=10, RunningAvgSamplesPerSec=16.1, CurrSamplesPerSec=16.8, ...` of its throughput timer (older:
 * `0/10, ...`), or `steps: 10 loss: 5.2 iter time (s): 1.234 samples/sec: 12.3` of its pipeline engine.
 */
export const deepSpeedLog: StepLogFormat = {
  name: 'DeepSpeed',
  readLine(line, { sequencesPerStep }) {
    const pipeline = /\bsteps:\s*(\d+)\b.*\biter time \(s\):\s*(\S+)/.exec(line);
    if (pipeline !== null) return { step: Number(pipeline[1]), seconds: Number(pipeline[2]) };
    const rate = /\bCurrSamplesPerSec=([^\s,]+)/.exec(line)?.[1];
    const step = (/\bglobal_step=(\d+)/.exec(line) ?? /\b\d+\/(\d+), RunningAvg/.exec(line))?.[1];
    if (rate === undefined || step === undefined) return undefined;
    return { step: Number(step), seconds: sequencesPerStep / Number(rate) };
  },
};
