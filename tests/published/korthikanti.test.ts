import { expect, test } from 'vitest';
import { layerActivations } from '../../src/memory/activations.js';
import { layerGraph } from '../../src/model/operators.js';
import { recomputeChoice } from '../../src/parallelism/rankShare.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { prepare } from '../../src/simulation/prepare.js';

/**
 * Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models", table 2: bytes of activations of
 * one layer. s tokens in a sequence, b sequences in a micro-batch, h hidden size, a heads, t tensor-parallel ranks; fp16,
 * dropout 0.1, fused softmax, no flash attention. Shapes and micro-batches of table 3.
 */
const shapes = [
  { model: 'megatron-22b', a: 64, h: 6144, b: 4 },
  { model: 'megatron-175b', a: 96, h: 12288, b: 1 },
  { model: 'megatron-530b', a: 128, h: 20480, b: 1 },
  { model: 'megatron-1t', a: 160, h: 25600, b: 1 },
] as const;
const s = 2048;
const t = 8;

type Shape = (typeof shapes)[number];

function keptBytes({ model, b }: Shape, strategy: NonNullable<RunFileInput['strategy']>): number {
  const tensorParallel = strategy.tensorParallel ?? 1;
  const p = prepare(
    resolveScenario({
      model,
      cluster: 'dgx-a100',
      accelerators: tensorParallel,
      framework: 'megatron',
      frameworkVersion: 'Megatron-LM 2022',
      sequenceLength: s,
      strategy: { ...strategy, microBatchSize: b, globalBatchSize: b },
    }),
  );
  expect(p.model.dropout).toBe(0.1);
  expect(p.strategy).toMatchObject({ precision: 'fp16', attentionKernel: 'fused-softmax' });
  return layerActivations(layerGraph(p.model, p.execution, 'dense'), p.share, recomputeChoice(p.strategy)).keptBytes;
}

const tensor = { tensorParallel: t, sequenceParallel: false } as const;
const sequence = { tensorParallel: t, sequenceParallel: true } as const;

test.each(shapes)('$model: the five formulas of table 2 hold exactly', (shape) => {
  const { a, h, b } = shape;
  const sbh = s * b * h;
  // 5 a s / h, times sbh: whole numbers, so that nothing is rounded.
  const scores = 5 * a * s * s * b;
  expect(keptBytes(shape, {})).toBe(34 * sbh + scores);
  expect(keptBytes(shape, tensor)).toBe(sbh * (10 + 24 / t) + scores / t);
  expect(keptBytes(shape, sequence)).toBe((34 * sbh + scores) / t);
  expect(keptBytes(shape, { ...sequence, recompute: 'selective' })).toBe((34 * sbh) / t);
  expect(keptBytes(shape, { ...tensor, recompute: 'full' })).toBe(2 * sbh);
});

test.each(shapes)('$model: two variants that the paper mentions beside the table', (shape) => {
  const sbh = s * shape.b * shape.h;
  // Section 5: selective recomputation without sequence parallelism.
  expect(keptBytes(shape, { ...tensor, recompute: 'selective' })).toBe(sbh * (10 + 24 / t));
  // Section 5: inputs of recomputed layers stored once over the tensor-parallel ranks.
  expect(keptBytes(shape, { ...sequence, recompute: 'full' })).toBe((2 * sbh) / t);
});

/**
 * Figure 7: percent of the tensor-parallel baseline. The figures were read from the plot (by Calculon's authors), so the formulas meet
 * them to 0.15 points: 530B and 1T have the same a / h and share one set.
 */
test.each([
  { shape: shapes[0], percent: [66.84, 49.42, 16.18, 7.64] },
  { shape: shapes[1], percent: [62.04, 56.53, 18.49, 8.71] },
  { shape: shapes[2], percent: [58.31, 62.04, 20.27, 9.42] },
  { shape: shapes[3], percent: [58.31, 62.04, 20.27, 9.42] },
])('$shape.model: figure 7, percent of the memory without either technique', ({ shape, percent }) => {
  const baseline = keptBytes(shape, tensor);
  const techniques = [
    sequence,
    { ...tensor, recompute: 'selective' as const },
    { ...sequence, recompute: 'selective' as const },
    { ...tensor, recompute: 'full' as const },
  ];
  const predicted = techniques.map((strategy) => (100 * keptBytes(shape, strategy)) / baseline);
  predicted.forEach((value, i) => {
    expect(Math.abs(value - (percent[i] ?? Number.NaN))).toBeLessThan(0.15);
  });
});

test('flash attention keeps nothing that grows with the square of the sequence', () => {
  const [shape] = shapes;
  const flash = keptBytesWith(shape, 'flash-2');
  const sbh = s * shape.b * shape.h;
  // Beside the 34: the log-sum-exp of each row, 4 bytes a head and token.
  expect(flash).toBe(34 * sbh + 4 * shape.a * s * shape.b);
});

function keptBytesWith({ model, b }: Shape, attentionKernel: 'flash-2'): number {
  const strategy = { attentionKernel, microBatchSize: b, globalBatchSize: b };
  const run = {
    model,
    cluster: 'dgx-a100',
    accelerators: 1,
    frameworkVersion: 'Megatron-LM 2022',
    sequenceLength: s,
    strategy,
  };
  const p = prepare(resolveScenario(run));
  return layerActivations(layerGraph(p.model, p.execution, 'dense'), p.share, 'none').keptBytes;
}
