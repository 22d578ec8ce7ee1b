import type { Accelerator } from '../../hardware/accelerator.js';
import {
  type AcceleratorConstant,
  acceleratorConstants,
  generationBefore,
  measuredSustained,
  powerExponent,
  sameChip,
  sameChipSpread,
} from './constants.js';
import type { Parameter } from './parameters.js';

/** Sustained rates: all accelerators -> a generation (or the one before it) -> an accelerator -> one with the same chip. */
export function acceleratorParameters(accelerators: readonly Accelerator[]): Parameter[] {
  const parameters: Parameter[] = [];
  // Those that others lean on come first.
  const ordered = accelerators.toSorted((a, b) => rank(a) - rank(b));
  for (const constant of acceleratorConstants) new Rates(parameters, constant, ordered).add();
  return parameters;
}

function rank({ id, generation }: Accelerator): number {
  return Number(id in sameChip) + 2 * Number(generation in generationBefore);
}

/** The parameters of one kernel family. */
class Rates {
  private readonly indices = new Map<string, number>();
  private readonly power: PowerReserves;

  constructor(
    private readonly parameters: Parameter[],
    private readonly constant: AcceleratorConstant,
    private readonly accelerators: readonly Accelerator[],
  ) {
    this.power = new PowerReserves(constant, accelerators);
  }

  add(): void {
    const { spread } = this.constant;
    this.indices.set('', this.push('all-accelerators', 'all', { parent: -1, overParent: 1, spread }));
    for (const accelerator of this.accelerators) {
      this.indices.set(accelerator.id, this.push('accelerator', accelerator.id, this.expectationOf(accelerator)));
    }
  }

  private expectationOf(accelerator: Accelerator): Expectation {
    const { ownSpread, path } = this.constant;
    const { id, generation } = accelerator;
    const twin = this.indices.get(sameChip[id] ?? id);
    // One chip, but not always one attention kernel: that is chosen with the software.
    if (twin !== undefined)
      return { parent: twin, overParent: 1, spread: path[1] === 'attention' ? ownSpread : sameChipSpread };
    const measured = measuredSustained.find((one) => one.accelerator === id && one.path[1] === path[1]);
    if (measured !== undefined) return { parent: -1, overParent: 1, spread: measured.spread, prior: measured.prior };
    const overParent = this.power.over(accelerator, generation);
    return { parent: this.generationIndex(generation), overParent, spread: ownSpread };
  }

  private generationIndex(generation: string): number {
    const owner = `generation ${generation}`;
    const known = this.indices.get(owner);
    if (known !== undefined) return known;
    const before = this.indices.get(`generation ${generationBefore[generation]}`);
    const parent = before ?? this.indices.get('') ?? -1;
    const overParent = before === undefined ? 1 : this.power.between(generation, generationBefore[generation] ?? '');
    const index = this.push('generation', owner, { parent, overParent, spread: this.constant.ownSpread });
    this.indices.set(owner, index);
    return index;
  }

  private push(kind: Parameter['kind'], owner: string, expected: Expectation): number {
    const { path, prior, low, high } = this.constant;
    const id = `accelerators/${owner} ${path.join('.')}`;
    return this.parameters.push({ id, kind, owner, version: '', path, prior, low, high, ...expected }) - 1;
  }
}

type Expectation = Pick<Parameter, 'parent' | 'overParent' | 'spread'> & { readonly prior?: number };

/**
 * How the parts of a generation differ in the power that they may draw for the work that they do: a capped part lowers its clock, and
 * power falls between linearly (voltage at its floor) and with the cube of it.
 */
class PowerReserves {
  private readonly logs = new Map<string, number>();
  private readonly meanLogs = new Map<string, number>();

  constructor({ path }: AcceleratorConstant, accelerators: readonly Accelerator[]) {
    const members = new Map<string, number[]>();
    for (const accelerator of accelerators) {
      const rate = aloneFlopsPerSecond(accelerator, path[1]);
      if (!(rate > 0 && accelerator.watts > 0)) continue;
      const reserve = Math.log(accelerator.watts / rate);
      this.logs.set(accelerator.id, reserve);
      members.set(accelerator.generation, [...(members.get(accelerator.generation) ?? []), reserve]);
    }
    for (const [generation, all] of members) {
      this.meanLogs.set(generation, all.reduce((sum, one) => sum + one, 0) / all.length);
    }
  }

  /** What an accelerator is expected to sustain over its generation. */
  over({ id }: Accelerator, generation: string): number {
    return this.factor(this.logs.get(id), this.meanLogs.get(generation));
  }

  between(generation: string, before: string): number {
    return this.factor(this.meanLogs.get(generation), this.meanLogs.get(before));
  }

  private factor(own: number | undefined, other: number | undefined): number {
    return own === undefined || other === undefined ? 1 : Math.exp(powerExponent * (own - other));
  }
}

/** A kernel family's rate alone; 0 for attention, which leaves half of the matrix units idle. */
function aloneFlopsPerSecond(
  { peakFlopsPerSecond, gemm }: Accelerator,
  family: AcceleratorConstant['path'][1],
): number {
  if (family === 'attention') return 0;
  const format = family === 'mxfp8' ? 'fp8' : family;
  return peakFlopsPerSecond[format] * gemm[format].maxEfficiency;
}
