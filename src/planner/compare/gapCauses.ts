import type { Accelerator } from '../../hardware/accelerator.js';
import { recomputes, type Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';

/** Something that may be otherwise than the run file says, at one setting. */
export interface SwitchCause {
  readonly kind: 'switch';
  readonly name: string;
  readonly scenario: Scenario;
}

/** Something that may be more or less than the presets say, up to what has been seen in practice. */
export interface SlideCause {
  readonly kind: 'slide';
  readonly name: string;
  /** The setting at which the estimate is as it is, and the furthest that is plausible. */
  readonly now: number;
  readonly furthest: number;
  readonly at: (setting: number) => Scenario;
  /** The setting in words. */
  readonly words: (setting: number) => string;
}

export type GapCause = SwitchCause | SlideCause;

type Flag = { [K in keyof Strategy]: Strategy[K] extends boolean ? K : never }[keyof Strategy];

/** Overlaps and fusions that a run may have or lack, whatever its file says. */
const flags: readonly (readonly [Flag, string])[] = [
  ['overlapGradientReduce', 'overlap of gradient reduction with the backward pass'],
  ['overlapParameterGather', 'overlap of parameter gathering with the forward pass'],
  ['overlapPipelineSend', 'overlap of pipeline messages with compute'],
  ['tensorOverlap', 'overlap of tensor-parallel traffic with matrix multiplications'],
  ['expertOverlap', 'overlap of expert traffic with compute'],
  ['fusedNorm', 'fused norms'],
  ['fusedCrossEntropy', 'fused cross entropy'],
  ['compile', 'torch.compile'],
];

const percent = (value: number): string => `${Number((value * 100).toPrecision(3))} %`;

/** Everything that could make a step longer or shorter than estimated; what does not concern the scenario has no effect and falls out later. */
export function gapCauses(scenario: Scenario): readonly GapCause[] {
  return [...switches(scenario), ...slides(scenario)];
}

function switches(scenario: Scenario): readonly SwitchCause[] {
  const { strategy, cluster } = scenario;
  const when = (name: string, change: Partial<Strategy>): SwitchCause => ({
    kind: 'switch',
    name,
    scenario: { ...scenario, strategy: { ...strategy, ...change } },
  });
  const causes = flags.map(([key, words]) =>
    when(`${strategy[key] ? 'without ' : 'with '}${words}`, { [key]: !strategy[key] }),
  );
  for (const recompute of recomputes) {
    if (recompute !== strategy.recompute)
      causes.push(when(`recompute ${recompute}`, { recompute, recomputeModules: [], recomputeLayers: 0 }));
  }
  if (strategy.attentionKernel !== 'unfused') causes.push(when('attention not fused', { attentionKernel: 'unfused' }));
  if (['fp8', 'mxfp8', 'nvfp4'].includes(strategy.precision))
    causes.push(when('bf16, the low precision not in effect', { precision: 'bf16' }));
  if (strategy.virtualStages > 1) causes.push(when('no interleaving', { virtualStages: 1, pipelineSchedule: '1f1b' }));
  if (cluster.accelerator.scaleUpReduction) {
    const accelerator = { ...cluster.accelerator, scaleUpReduction: false };
    causes.push({
      kind: 'switch',
      name: 'no reduction in the switch (NVLS off)',
      scenario: { ...scenario, cluster: { ...cluster, accelerator } },
    });
  }
  return causes;
}

function slides(scenario: Scenario): readonly SlideCause[] {
  const { cluster, framework } = scenario;
  const onAccelerator = (change: Partial<Accelerator>): Scenario => ({
    ...scenario,
    cluster: { ...cluster, accelerator: { ...cluster.accelerator, ...change } },
  });
  const { accelerator } = cluster;
  const kernels = (setting: number): Scenario =>
    onAccelerator({
      sustained: Object.fromEntries(
        Object.entries(accelerator.sustained).map(([family, share]) => [family, share * setting]),
      ) as unknown as Accelerator['sustained'],
    });
  const network = (setting: number): Scenario => ({
    ...scenario,
    cluster: { ...cluster, nodeNetworkBytesPerSecond: cluster.nodeNetworkBytesPerSecond * setting },
  });
  const links = (setting: number): Scenario => {
    const slower = Object.fromEntries(
      Object.entries(accelerator.collectives).map(([kind, curves]) => [
        kind,
        curves.map((curve) => ({ ...curve, busBytesPerSecond: curve.busBytesPerSecond * setting })),
      ]),
    ) as unknown as Accelerator['collectives'];
    return onAccelerator({ scaleUpBytesPerSecond: accelerator.scaleUpBytesPerSecond * setting, collectives: slower });
  };
  const rate = (setting: number): string => `at ${percent(setting)} of its rate`;
  return [
    {
      kind: 'slide',
      name: 'kernels slower (clocks, power limit, shapes)',
      now: 1,
      furthest: 0.6,
      at: kernels,
      words: (s) => `at ${percent(s)} of the estimated rate`,
    },
    {
      kind: 'slide',
      name: 'kernels faster',
      now: 1,
      furthest: 1.3,
      at: kernels,
      words: (s) => `at ${percent(s)} of the estimated rate`,
    },
    { kind: 'slide', name: 'slow network between nodes', now: 1, furthest: 0.1, at: network, words: rate },
    { kind: 'slide', name: 'slow links inside the node', now: 1, furthest: 0.3, at: links, words: rate },
    {
      kind: 'slide',
      name: 'slow memory',
      now: 1,
      furthest: 0.7,
      at: (s) => onAccelerator({ memoryEfficiency: accelerator.memoryEfficiency * s }),
      words: rate,
    },
    {
      kind: 'slide',
      name: 'jitter between ranks',
      now: framework.jitter,
      furthest: Math.max(0.06, framework.jitter),
      at: (jitter) => ({ ...scenario, framework: { ...framework, jitter } }),
      words: (s) => `standard deviation ${percent(s)}`,
    },
    {
      kind: 'slide',
      name: 'fixed time of every step (data loading, logging, checkpoints)',
      now: framework.stepOverheadSeconds,
      furthest: framework.stepOverheadSeconds + 5,
      at: (stepOverheadSeconds) => ({ ...scenario, framework: { ...framework, stepOverheadSeconds } }),
      words: (s) => `${Number(s.toPrecision(3))} s`,
    },
    {
      kind: 'slide',
      name: 'slow host (launching kernels)',
      now: 1,
      furthest: 3,
      at: (s) => ({
        ...scenario,
        framework: {
          ...framework,
          hostLaunchSeconds: framework.hostLaunchSeconds * s,
          hostLayerSeconds: framework.hostLayerSeconds * s,
        },
      }),
      words: (s) => `${Number(s.toPrecision(3))} times the time`,
    },
  ];
}
