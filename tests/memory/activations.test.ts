import { describe, expect, test } from 'vitest';
import { layerActivations, savedTensorBytes } from '../../src/memory/activations.js';
import { layerGraph } from '../../src/model/operators.js';
import { recomputeChoice } from '../../src/parallelism/rankShare.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { prepare } from '../../src/simulation/prepare.js';

type Strategy = NonNullable<RunFileInput['strategy']>;

const llama = {
  name: 'llama',
  numLayers: 32,
  hiddenSize: 4096,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  intermediateSize: 14336,
  gatedMlp: true,
};
const s = 4096;

function prepared(
  strategy: Strategy = {},
  model: RunFileInput['model'] = llama,
  framework: 'megatron' | 'fsdp' = 'megatron',
) {
  return prepare(
    resolveScenario({ model, cluster: 'dgx-h100', accelerators: 8, sequenceLength: s, framework, strategy }),
  );
}

/** Bytes that one layer keeps of one micro-batch. */
function kept(strategy: Strategy = {}, kind: 'dense' | 'moe' = 'dense', model: RunFileInput['model'] = llama): number {
  const p = prepared(strategy, model);
  return layerActivations(layerGraph(p.model, p.execution, kind), p.share, recomputeChoice(p.strategy)).keptBytes;
}

/** The same by tensor. */
function keptByName(
  strategy: Strategy = {},
  kind: 'dense' | 'moe' = 'dense',
  model: RunFileInput['model'] = llama,
): Record<string, number> {
  const p = prepared(strategy, model);
  return Object.fromEntries(
    layerGraph(p.model, p.execution, kind).saved.map((tensor) => [tensor.name, savedTensorBytes(tensor, p.share)]),
  );
}

test('a LLaMA layer with flash attention, tensor by tensor', () => {
  const h = 4096;
  expect(keptByName()).toEqual({
    attentionNormInput: 2 * s * h,
    queryKeyValueInput: 2 * s * h,
    queries: 2 * s * 32 * 128,
    keysValues: 2 * s * (8 + 8) * 128,
    logSumExp: 4 * s * 32,
    attentionOutput: 2 * s * h,
    feedForwardNormInput: 2 * s * h,
    feedForwardInput: 2 * s * h,
    feedForwardUp: 2 * s * 2 * 14336,
    feedForwardDownInput: 2 * s * 14336,
  });
});

describe('what splits a tensor', () => {
  test('tensor parallelism inside its regions, with sequence parallelism everywhere', () => {
    const one = keptByName();
    const tensor = keptByName({ tensorParallel: 8, sequenceParallel: false });
    expect(tensor.feedForwardUp).toBe((one.feedForwardUp ?? 0) / 8);
    expect(tensor.attentionNormInput).toBe(one.attentionNormInput);
    expect(kept({ tensorParallel: 8 })).toBe(kept() / 8);
  });

  test('tensor parallelism beyond the key-value heads leaves a head of each on every rank', () => {
    expect(keptByName({ tensorParallel: 8 }).keysValues).toBe((keptByName().keysValues ?? 0) / 8);
    const four = { ...llama, numKeyValueHeads: 4 };
    expect(keptByName({ tensorParallel: 8 }, 'dense', four).keysValues).toBe(2 * s * 2 * 128);
    expect(keptByName({ tensorParallel: 8 }, 'dense', four).queries).toBe((2 * s * 32 * 128) / 8);
  });

  test('context parallelism everywhere, and micro-batches multiply', () => {
    expect(kept({ contextParallel: 8 })).toBe(kept() / 8);
    expect(kept({ microBatchSize: 4 })).toBe(4 * kept());
  });

  test('unfused attention keeps a square for every head: its probabilities', () => {
    const square = 2 * 32 * s * s;
    const { softmax } = keptByName({ attentionKernel: 'fused-softmax' });
    expect(softmax).toBe(square);
    // Eager PyTorch keeps the masked scores beside them.
    expect(keptByName({ attentionKernel: 'unfused' }).softmax).toBe(2 * square);
    expect(keptByName({ attentionKernel: 'fused-softmax', contextParallel: 8 }).softmax).toBe(square / 8);
  });
});

describe('recomputation drops what it names', () => {
  const drop = (...recomputeModules: NonNullable<Strategy['recomputeModules']>): number =>
    kept() - kept({ recompute: 'selective', recomputeModules });

  test('modules', () => {
    expect(drop('core_attn')).toBe(4 * s * 32);
    expect(drop('mlp')).toBe(2 * s * 3 * 14336);
    expect(drop('layernorm')).toBe(2 * 2 * s * 4096);
    expect(drop('core_attn', 'mlp')).toBe(drop('core_attn') + drop('mlp'));
  });

  test('full keeps the input of the layer', () => {
    expect(kept({ recompute: 'full' })).toBe(2 * s * 4096);
  });
});

test('formats: fp32 doubles, fp8 keeps quantised inputs of matrix multiplications', () => {
  const p = prepared({ precision: 'fp8' });
  expect(p.execution).toMatchObject({ activationBytes: 2, gemmInputBytes: 1 });
  expect(keptByName({ precision: 'fp8' }).feedForwardInput).toBe(s * 4096);
  // Half a byte, and a byte of scale for 16 elements.
  const blackwell = resolveScenario({
    model: llama,
    cluster: 'dgx-b200',
    framework: 'megatron',
    strategy: { precision: 'nvfp4' },
  });
  expect(prepare(blackwell).execution.gemmInputBytes).toBe(0.5 + 1 / 16);
  expect(keptByName({ precision: 'fp32' }).feedForwardUp).toBe(2 * (keptByName().feedForwardUp ?? 0));
});

test('experts keep tokens once for every visit', () => {
  const mixture = { ...llama, name: 'mixture', moe: { numExperts: 8, expertsPerToken: 2 } };
  const { expertInput, expertUp, expertDownInput, router } = keptByName({}, 'moe', mixture);
  expect(expertInput).toBe(2 * 2 * s * 4096);
  expect(expertUp).toBe(2 * 2 * s * 2 * 14336);
  expect(expertDownInput).toBe(2 * 2 * s * 14336);
  expect(router).toBe(8 * 8 * s);
  // Expert parallelism moves tokens, and on average as many come as go.
  expect(keptByName({ expertParallel: 8 }, 'moe', mixture).expertUp).toBe(expertUp);
});

test('eager RMS norms keep fp32 temporaries that fused ones do not', () => {
  const p = prepared({ fusedNorm: false, compile: false }, llama, 'fsdp');
  const names = layerGraph(p.model, p.execution, 'dense').saved.map(({ name }) => name);
  expect(names.filter((name) => name === 'normTemporaries')).toHaveLength(2);
  const compiled = prepared({ fusedNorm: false, compile: true }, llama, 'fsdp');
  expect(
    layerGraph(compiled.model, compiled.execution, 'dense').saved.some(({ name }) => name === 'normTemporaries'),
  ).toBe(false);
});
