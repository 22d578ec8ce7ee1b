import type { Cluster } from '../hardware/cluster.js';
import type { Architecture } from '../model/architecture.js';
import { resolveArchitecture } from '../model/architectureSchema.js';
import type { Framework } from '../parallelism/framework.js';
import { checkHardware } from './checkHardware.js';
import { type LoadedFramework, loadFramework } from './frameworkDefaults.js';
import { loadCluster } from './loadHardware.js';
import { loadModel } from './loadModel.js';
import { checkRunFile } from './parseRunFile.js';
import { resolveStrategy } from './resolveStrategy.js';
import type { RunFile, RunFileInput } from './runFileSchema.js';
import type { FilledDefault, Scenario } from './scenario.js';

/** Sequence length where the run file gives none: what most published pre-training starts with. */
const DEFAULT_SEQUENCE_LENGTH = 4096;

export interface ResolveOptions {
  /** Folder that relative paths in the run file start from; the working directory where not given. */
  readonly baseDirectory?: string;
}

/** A run file as an object (checked here, expressions excepted) to the full question, every default filled in. */
export function resolveScenario(run: RunFileInput, options: ResolveOptions = {}): Scenario {
  return resolveCheckedRun(checkRunFile(run), options);
}

/** The same for a run file that `parseRunFile` or `checkRunFile` has accepted. */
export function resolveCheckedRun(run: RunFile, options: ResolveOptions = {}): Scenario {
  const cluster = loadCluster(run.cluster);
  const usual = loadFramework(run.framework ?? usualFramework(cluster), run.frameworkVersion);
  return assembleScenario(run, { cluster, usual, model: loadRunModel(run, usual, options) });
}

/** What a run file names, loaded. Many run files that differ in their strategy share it. */
export interface ScenarioParts {
  readonly cluster: Cluster;
  readonly usual: LoadedFramework;
  readonly model: Architecture;
}

/** The question of a run file whose model, cluster and framework were loaded already; its `model` and `cluster` are not looked at. */
export function assembleScenario(run: RunFile, { cluster, usual, model }: ScenarioParts): Scenario {
  const filled: FilledDefault[] = [];
  const fill = <T extends string | number | boolean>(key: string, given: T | undefined, value: T, from: string): T => {
    if (given === undefined) filled.push({ key, value, from });
    return given ?? value;
  };
  const { defaults } = usual;
  const framework = onHosts(usual.framework, cluster);
  const sequenceLength = fill('sequenceLength', run.sequenceLength, DEFAULT_SEQUENCE_LENGTH, 'slipway');
  const accelerators = fill('accelerators', run.accelerators, cluster.acceleratorsPerNode, 'cluster');
  const id = fill('framework', run.framework, framework.id, 'slipway');
  const [strategy, strategyDefaults] = resolveStrategy(run.strategy ?? {}, {
    model,
    accelerator: cluster.accelerator,
    accelerators,
    framework: id,
    defaults,
    interleavesPipeline: framework.interleavesPipeline,
  });
  checkHardware(cluster, accelerators, strategy.precision);
  const price = run.training?.dollarsPerAcceleratorHour;
  if (price === undefined && cluster.dollarsPerAcceleratorHour > 0) {
    filled.push({
      key: 'training.dollarsPerAcceleratorHour',
      value: cluster.dollarsPerAcceleratorHour,
      from: 'cluster',
    });
  }
  return {
    model,
    cluster,
    accelerators,
    strategy,
    sequenceLength,
    framework,
    task: fill('task', run.task, 'pretrain', 'slipway'),
    training: { tokens: run.training?.tokens ?? 0, dollarsPerAcceleratorHour: price ?? 0 },
    defaultsFilledIn: [...filled, ...strategyDefaults],
  };
}

/** The architecture of a run file; some of its defaults are those of the framework and of the run. */
export function loadRunModel(
  { model, sequenceLength = DEFAULT_SEQUENCE_LENGTH }: RunFile,
  { framework }: LoadedFramework,
  options: ResolveOptions = {},
): Architecture {
  const input = typeof model === 'string' ? loadModel(model, options.baseDirectory) : model;
  const { dropout, gatedDropout } = framework;
  return resolveArchitecture(input, { sequenceLength, dropout, gatedDropout });
}

/** The framework as the hosts of a calibrated cluster run it. */
export function onHosts(framework: Framework, { hostTimeFactor, jitter }: Cluster): Framework {
  if (hostTimeFactor === 1 && jitter === 0) return framework;
  return {
    ...framework,
    hostLaunchSeconds: framework.hostLaunchSeconds * hostTimeFactor,
    hostLayerSeconds: framework.hostLayerSeconds * hostTimeFactor,
    hostExpertLayerSeconds: framework.hostExpertLayerSeconds * hostTimeFactor,
    stepOverheadSeconds: framework.stepOverheadSeconds * hostTimeFactor,
    jitter: jitter > 0 ? jitter : framework.jitter,
  };
}

/** TPUs are programmed through XLA; everything else mostly through Megatron where the question is planning. */
export function usualFramework(cluster: Cluster): Framework['id'] {
  return cluster.accelerator.vendor.toLowerCase() === 'google' ? 'xla' : 'megatron';
}
