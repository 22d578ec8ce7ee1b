import type { Architecture } from '../model/architecture.js';
import { lossMemory } from '../model/endOperators.js';
import type { Execution } from '../model/operators.js';
import type { Framework } from '../parallelism/framework.js';
import type { RankShare } from '../parallelism/layerCost.js';
import type { Strategy } from '../parallelism/strategy.js';

/** What the head and the loss add on the stage that has them, for one micro-batch. */
export interface HeadBytes {
  /** From the forward to the backward pass: inputs of the final norm and of the head, what the loss saves. */
  readonly keptBytes: number;
  /** Beyond that at the loss, forward or backward. */
  readonly lossBytes: number;
  /** Beyond that at the head's backward pass; negative where the loss has freed more. */
  readonly headBytes: number;
}

/**
 * A caller that gathers logits holds them and their fp32 copy beside PyTorch's cross entropy; over several ranks the parts and the
 * concatenated whole exist at once.
 */
const gatheredCopyBytes = { always: 4, overRanks: 6 } as const;

interface HeadContext {
  readonly model: Architecture;
  readonly share: RankShare;
  readonly execution: Execution;
  readonly strategy: Strategy;
  readonly framework: Framework;
  readonly paddedVocabulary: number;
}

export function headMemory(c: HeadContext): HeadBytes {
  const { model, share, execution, framework } = c;
  const { activationBytes: e, tokens, tensorParallel: t } = share;
  const row = e * tokens * model.hiddenSize;
  const scattered = row / (share.sequenceParallel ? t : 1);
  const eagerNorm = model.norm === 'rms' && !execution.fusedNorm && execution.fusion === 'eager';
  const norm = model.finalNorm ? scattered * (eagerNorm ? 1 + 8 / e : 1) : 0;
  const inputs = norm + scattered;
  if (framework.slicedLoss) return { keptBytes: inputs, lossBytes: row, headBytes: row };
  const loss = lossMemory(execution, c.strategy.fusedCrossEntropy, framework.memory.loss);
  const gathered = framework.gatheredLogits;
  const logits = (tokens * c.paddedVocabulary) / (gathered ? 1 : t);
  const copies = gathered ? gatheredCopyBytes.always + (t > 1 ? gatheredCopyBytes.overRanks : 0) : 0;
  const saved = logits * loss.keptBytes;
  const peak = logits * (Math.max(loss.forwardBytes, loss.backwardBytes) + copies);
  // The head's input is gathered again for its weight gradient, and its input's gradient is whole until it is scattered.
  const gatheredInput = share.sequenceParallel && t > 1 ? row : 0;
  const gradients = logits * e + row + gatheredInput;
  return { keptBytes: inputs + saved, lossBytes: peak - saved + gatheredInput, headBytes: gradients - saved };
}
