import type { Accelerator } from '../../hardware/accelerator.js';
import type { Framework } from '../../parallelism/framework.js';
import type { Scenario } from '../../scenario/scenario.js';
import { acceleratorParameters } from './acceleratorParameters.js';
import { frameworkConstants, frameworkPrior, sameEngine } from './constants.js';

/** One number that is fitted: a constant of an accelerator, of a generation, of a framework or of a version. */
export interface Parameter {
  /** `accelerators/h100-sxm-80 sustained.bf16`, `frameworks/megatron@megatron-deepspeed hostLayerSeconds`. */
  readonly id: string;
  readonly kind: 'accelerator' | 'generation' | 'all-accelerators' | 'framework' | 'version';
  /** Accelerator, generation, or framework. */
  readonly owner: string;
  /** Of a framework; empty otherwise. */
  readonly version: string;
  readonly path: readonly string[];
  /** The value expected without runs, for parameters that have no parent. */
  readonly prior: number;
  /** Index of the parameter that this one is expected to be near; -1 for none. */
  readonly parent: number;
  /** How many times the parent it is expected to be; 1 unless known better. */
  readonly overParent: number;
  /** Standard deviation of the logarithm around the parent or the prior. */
  readonly spread: number;
  readonly low: number;
  readonly high: number;
}

/** A framework's preset as far as it matters here: which figures the base and each version name. */
export interface FrameworkFigures {
  readonly id: Framework['id'];
  readonly base: Readonly<Record<string, unknown>>;
  readonly versions: readonly (Readonly<Record<string, unknown>> & { readonly version: string })[];
}

/** Every parameter of these accelerators and frameworks, parents before children. */
export function makeParameters(
  accelerators: readonly Accelerator[],
  frameworks: readonly FrameworkFigures[],
): readonly Parameter[] {
  const parameters = acceleratorParameters(accelerators);
  for (const framework of frameworks) addFramework(parameters, framework);
  return parameters;
}

/**
 * Fitted for the versions that name them alone. Elsewhere a framework's kernels are the accelerator's own, which cannot be told apart;
 * its traffic reaches the whole network; and a micro-batch costs nothing beyond its passes.
 */
const figuresOfVersions: ReadonlySet<string> = new Set([
  'gemmTimeFactor',
  'attentionTimeFactor',
  'networkShare',
  'microBatchOverheadSeconds',
]);

function addFramework(parameters: Parameter[], { id, base, versions }: FrameworkFigures): void {
  for (const constant of frameworkConstants) {
    const { path, spread, ownSpread, low, high } = constant;
    const prior = frameworkPrior(constant, id);
    const onlyVersions = figuresOfVersions.has(path[0]);
    // A figure of 0 says that the framework knows no such time.
    if (prior === undefined || (!onlyVersions && !figureAt(base, path))) continue;
    const name = path.join('.');
    const shared = { owner: id, path, prior, overParent: 1, low, high };
    const parent = onlyVersions
      ? -1
      : parameters.push({
          id: `frameworks/${id} ${name}`,
          kind: 'framework',
          version: '',
          parent: -1,
          spread,
          ...shared,
        }) - 1;
    const byVersion = new Map<string, number>();
    // Those that others lean on come first.
    const ordered = versions.toSorted((a, b) => Number(a.version in sameEngine) - Number(b.version in sameEngine));
    for (const { version, ...figures } of ordered) {
      if (figureAt(figures, path) === undefined) continue;
      const near = byVersion.get(sameEngine[version] ?? '') ?? parent;
      const own = { kind: 'version' as const, version, parent: near, spread: ownSpread, ...shared };
      byVersion.set(version, parameters.push({ id: `frameworks/${id}@${version} ${name}`, ...own }) - 1);
    }
  }
}

/** A figure of a preset as a number, whether it says where it comes from or not. */
export function figureAt(figures: unknown, path: readonly string[]): number | undefined {
  let value = figures;
  for (const key of path) value = isRecord(value) ? value[key] : undefined;
  if (isRecord(value)) value = value.value;
  return typeof value === 'number' ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Which parameters a scenario depends on, by where they live in it. */
export function parametersOf(parameters: readonly Parameter[], { cluster, framework }: Scenario): readonly number[] {
  const own: number[] = [];
  const byPath = new Map<string, number>();
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.kind === 'accelerator' && parameter.owner === cluster.accelerator.id) own.push(index);
    if (parameter.owner !== framework.id) continue;
    const key = parameter.path.join('.');
    const isVersion = parameter.kind === 'version' && parameter.version === framework.version;
    // A version's figure goes before its framework's.
    if (isVersion || (parameter.kind === 'framework' && !byPath.has(key))) byPath.set(key, index);
  }
  return [...own, ...byPath.values()];
}

/** The scenario with the values of its own parameters in their places. */
export function withValues(
  scenario: Scenario,
  own: readonly number[],
  parameters: readonly Parameter[],
  values: Float64Array,
): Scenario {
  const { cluster } = scenario;
  const sustained: Record<string, number> = { ...cluster.accelerator.sustained };
  const framework: Record<string, unknown> = { ...scenario.framework };
  const memory: Record<string, unknown> = { ...scenario.framework.memory };
  for (const index of own) {
    const parameter = parameters[index];
    if (parameter === undefined) continue;
    const value = values[index] ?? parameter.prior;
    const [first = '', second = ''] = parameter.path;
    if (parameter.kind === 'accelerator') sustained[second] = value;
    else if (first === 'memory') memory[second] = value;
    else framework[first] = value;
  }
  return {
    ...scenario,
    cluster: {
      ...cluster,
      accelerator: { ...cluster.accelerator, sustained: sustained as unknown as Accelerator['sustained'] },
    },
    framework: { ...framework, memory } as unknown as Framework,
  };
}
