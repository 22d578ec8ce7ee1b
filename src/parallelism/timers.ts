import type { MatrixFormat } from '../hardware/accelerator.js';
import type { Cluster } from '../hardware/cluster.js';
import { type AttentionTimer, attentionTimer } from '../hardware/kernels/attention.js';
import { type StreamTimer, streamTimer } from '../hardware/kernels/elementwise.js';
import { type GemmTimer, gemmTimer } from '../hardware/kernels/gemm.js';
import type { Architecture } from '../model/architecture.js';
import type { Framework } from './framework.js';
import { matrixFormat } from './matrixFormat.js';
import type { Precision, Strategy } from './strategy.js';

/** Kernels of one run, ready to time. */
export interface Timers {
  /** GEMMs in the recipe's low precision. */
  readonly gemm: GemmTimer;
  /** GEMMs that stay in 16 bits (head, router), or all of them without a low precision. */
  readonly gemmHigh: GemmTimer;
  readonly attention: AttentionTimer;
  readonly stream: StreamTimer;
}

function highFormat(precision: Precision): MatrixFormat {
  return precision === 'fp32' || precision === 'tf32' || precision === 'fp16' ? precision : 'bf16';
}

export function makeTimers(cluster: Cluster, framework: Framework, strategy: Strategy, model: Architecture): Timers {
  const accelerator = cluster.accelerator;
  const kernel = strategy.attentionKernel === 'fused-softmax' ? 'unfused' : strategy.attentionKernel;
  const headDim = model.mla === null ? model.headDim : model.mla.queryKeyNopeHeadDim + model.mla.queryKeyRopeHeadDim;
  return {
    gemm: gemmTimer(
      accelerator,
      matrixFormat(strategy.precision),
      framework.gemmTimeFactor,
      strategy.precision === 'mxfp8',
      strategy.compile ? 0 : framework.eagerQuantiseTraffic,
    ),
    gemmHigh: gemmTimer(accelerator, highFormat(strategy.precision), framework.gemmTimeFactor),
    attention: attentionTimer(accelerator, kernel, headDim, framework.attentionTimeFactor),
    stream: streamTimer(accelerator, framework.elementwiseTimeFactor),
  };
}
