import { describe, expect, test } from 'vitest';
import { headMemory } from '../../src/memory/headMemory.js';
import { separateBeyond } from '../../src/memory/stageMemory.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { prepare } from '../../src/simulation/prepare.js';

const s = 4096;
const h = 4096;
const V = 32768;
const model = { name: 'llama', numLayers: 32, hiddenSize: h, numAttentionHeads: 32, vocabSize: V, gatedMlp: true };

function head(more: Partial<RunFileInput>) {
  const { strategy, ...rest } = more;
  const run = { model, cluster: 'dgx-h100', accelerators: 8, sequenceLength: s, ...rest } as const;
  return headMemory(prepare(resolveScenario({ ...run, strategy: { microBatchSize: 1, ...strategy } })));
}

describe('bytes of a micro-batch at the loss', () => {
  test("Megatron's loss keeps fp32 probabilities and casts their gradient", () => {
    const { keptBytes, lossBytes, headBytes } = head({ framework: 'megatron' });
    // Inputs of the final norm and of the head, 16 bits each.
    expect(keptBytes).toBe(2 * 2 * s * h + 4 * s * V);
    expect(lossBytes).toBe(2 * s * V);
    // The logits' gradient and that of the head's input, when the probabilities are gone.
    expect(headBytes).toBe((2 - 4) * s * V + 2 * s * h);
  });

  test('tensor and sequence parallelism divide all but the gathered input', () => {
    const { keptBytes, lossBytes } = head({ framework: 'megatron', strategy: { tensorParallel: 8 } });
    expect(keptBytes).toBe((2 * 2 * s * h + 4 * s * V) / 8);
    expect(lossBytes).toBe((2 * s * V) / 8 + 2 * s * h);
  });

  test("PyTorch's cross entropy: log-probabilities, then two gradients in fp32 beside them", () => {
    const fsdp = head({ framework: 'fsdp', strategy: { fusedNorm: true } });
    expect(fsdp.keptBytes).toBe(2 * 2 * s * h + 4 * s * V);
    expect(fsdp.keptBytes + fsdp.lossBytes).toBe(2 * 2 * s * h + 12 * s * V);
    // A caller that holds the logits: 2 more.
    const deepSpeed = head({ framework: 'deepspeed', strategy: { fusedNorm: true } });
    expect(deepSpeed.keptBytes + deepSpeed.lossBytes).toBe(2 * 2 * s * h + 14 * s * V);
  });

  test('a fused loss turns logits into their gradient, a sliced one never has them', () => {
    const fused = head({ framework: 'fsdp', strategy: { fusedNorm: true, fusedCrossEntropy: true } });
    expect(fused.keptBytes + fused.lossBytes).toBe(2 * 2 * s * h + 4 * s * V);
    const sliced = head({ framework: 'deepspeed', frameworkVersion: 'DeepSpeed + Liger' });
    expect(sliced.keptBytes + sliced.lossBytes).toBe(2 * 2 * s * h + 2 * s * h);
  });
});

test('blocks that the passes left are there for the update', () => {
  expect(separateBeyond(10, 100, 100)).toBe(10);
  expect(separateBeyond(10, 100, 104)).toBe(6);
  expect(separateBeyond(10, 100, 130)).toBe(0);
});
