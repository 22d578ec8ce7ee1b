import { passSeconds, type Schedule } from './schedule.js';

/**
 * DualPipe (DeepSeek-V3 report, section 3.2.1, table 2): micro-batches enter from both ends, forward of one beside backward
 * of the other. Bubble (p/2 - 1)(F&B + B - 3W) with B the full backward pass; p + 1 micro-batches alive; two copies of the
 * weights of a stage pair.
 */
export const dualPipe: Schedule = {
  id: 'dualpipe',
  bubbleSeconds: (load, busiest) => {
    const pass = load.passes[busiest];
    if (pass === undefined) return 0;
    const overlapped = passSeconds(pass);
    const backward = pass.inputGradient + pass.weightGradient;
    return Math.max(0, load.passes.length / 2 - 1) * Math.max(0, overlapped + backward - 3 * pass.weightGradient);
  },
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages + 1),
  chunked: false,
  splitsWeightGradient: true,
};
