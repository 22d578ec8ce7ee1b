import type { Accelerator } from '../accelerator.js';
import { interpolateLog } from './attention.js';
import { type GemmTimer, gemmSeconds } from './gemm.js';

/**
 * Seconds of one grouped GEMM over the experts of a rank: `experts` products of (tokens per expert) x k by k x n.
 *
 * The dense model times the whole; the measured ratio of grouped to dense throughput by tokens per expert
 * (hardware data, `moe_grouped_gemm`) takes the loss of short groups.
 */
export function groupedGemmSeconds(
  accelerator: Accelerator,
  timer: GemmTimer,
  tokens: number,
  experts: number,
  n: number,
  k: number,
  resultBytes: number,
): number {
  if (tokens <= 0 || experts <= 0) return 0;
  const perExpert = tokens / experts;
  const share = accelerator.groupedGemm.length > 0 ? interpolateLog(accelerator.groupedGemm, perExpert) : 1;
  const dense = gemmSeconds(timer, perExpert, n, k, resultBytes, experts);
  return dense / Math.max(share, 0.02);
}
