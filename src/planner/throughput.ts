import type { MatrixFormat } from '../hardware/accelerator.js';
import { type FlopsConvention, modelFlops } from '../model/flops.js';
import { matrixFormat } from '../parallelism/matrixFormat.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation } from '../simulation/evaluation.js';
import type { Throughput } from './estimateResult.js';

/** Tokens per second and utilisation. Recomputed FLOPs are counted alike in every convention. */
export function throughput(
  scenario: Scenario,
  evaluation: Pick<Evaluation, 'stepSeconds' | 'modelFlops' | 'hardwareFlops'>,
  convention: FlopsConvention,
  activeParameters: number,
): Throughput {
  const { accelerators, strategy, sequenceLength, model, cluster } = scenario;
  const sequences = strategy.globalBatchSize;
  const flops = modelFlops(model, sequenceLength, sequences, convention, activeParameters);
  const recomputed = evaluation.hardwareFlops - evaluation.modelFlops;
  const perAccelerator = evaluation.stepSeconds * accelerators;
  const tokensPerSecond = (sequences * sequenceLength) / evaluation.stepSeconds;
  const [peakFormat, peak] = peakOf(cluster.accelerator.peakFlopsPerSecond, matrixFormat(strategy.precision));
  return {
    tokensPerSecond,
    tokensPerSecondPerAccelerator: tokensPerSecond / accelerators,
    modelTflopsPerAccelerator: flops / perAccelerator / 1e12,
    hardwareTflopsPerAccelerator: (flops + recomputed) / perAccelerator / 1e12,
    mfu: flops / perAccelerator / peak,
    hfu: (flops + recomputed) / perAccelerator / peak,
    flopsConvention: convention,
    peakFormat,
    peakTflopsPerAccelerator: peak / 1e12,
  };
}

/** The peak of a format, or of the next wider one that the hardware multiplies. */
function peakOf(peaks: Readonly<Record<MatrixFormat, number>>, format: MatrixFormat): readonly [MatrixFormat, number] {
  const wider: readonly MatrixFormat[] = ['fp4', 'fp8', 'bf16', 'fp16', 'tf32', 'fp32'];
  const candidates = [format, ...wider.slice(wider.indexOf(format) + 1)];
  const found = candidates.find((candidate) => peaks[candidate] > 0) ?? format;
  return [found, peaks[found]];
}
