import type { StepLogFormat } from './stepLog.js';

/**
 * Megatron-LM, Megatron-Core, NeMo 1 and Megatron-DeepSpeed: `iteration 10/ 500 | consumed samples: 5120 | elapsed time per iteration (ms): 1234.5 |
 * ... global batch size: 512 |`, with a time stamp before it in newer versions.
 */
export const megatronLog: StepLogFormat = {
  name: 'Megatron-LM',
  readLine(line, { sequencesPerStep }) {
    const step = /\biteration\s+(\d+)\s*\/\s*\d+\s*\|/.exec(line)?.[1];
    const milliseconds = /elapsed time per iteration \(ms\):\s*([^\s|]+)/.exec(line)?.[1];
    if (step === undefined || milliseconds === undefined) return undefined;
    const batch = /global batch size:\s*(\d+)/.exec(line)?.[1];
    if (batch !== undefined && Number(batch) !== sequencesPerStep) {
      return `global batch size is ${batch} in the log and ${sequencesPerStep} in the run file`;
    }
    return { step: Number(step), seconds: Number(milliseconds) / 1000 };
  },
};
