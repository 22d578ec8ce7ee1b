import { SlipwayError } from '../../errors.js';
import type { Cluster } from '../../hardware/cluster.js';
import type { Architecture } from '../../model/architecture.js';
import { loadCluster } from '../../scenario/loadHardware.js';
import { checkRunFile } from '../../scenario/parseRunFile.js';
import { assembleScenario, loadRunModel } from '../../scenario/resolveScenario.js';
import type { RunFile } from '../../scenario/runFileSchema.js';
import type { Scenario } from '../../scenario/scenario.js';
import { type Axis, lengthOf } from './axis.js';
import { AxisValues, cellOf, presetsAt } from './axisValues.js';
import type { SweepDefinition } from './definition.js';
import type { Cell, ColumnKind } from './figures.js';
import { keyAt, Memo } from './memo.js';
import { isPresetAxis, type PointContext, pointContext } from './pointContext.js';

/** A cluster or a model that many points share, with what the axes below it were set to. */
interface Part<T> {
  readonly value: T;
  readonly cells: readonly Cell[];
}

/** Run files that are kept for later points. */
const MOST_REMEMBERED = 4096;

/**
 * The scenario of each point of a grid, as the run file with the point's values in it would give it. What points share is made once:
 * presets are read, and parts of a run file checked, once for each of their own values and not for each point.
 */
export class PointScenarios {
  readonly #definition: SweepDefinition;
  readonly #values: AxisValues;
  readonly #contexts = new Memo<PointContext | SlipwayError>();
  readonly #clusters = new Memo<Part<Cluster> | SlipwayError>();
  readonly #models = new Memo<Part<Architecture> | SlipwayError>();
  /** Axes by what they change, as indices. */
  readonly #preset: readonly number[];
  readonly #cluster: readonly number[];
  readonly #model: readonly number[];
  readonly #plain: readonly number[];
  readonly #plainRuns = new Memo<Part<RunFile>>(MOST_REMEMBERED);
  readonly #plainRepeats: boolean;

  private constructor(definition: SweepDefinition, values: AxisValues) {
    this.#definition = definition;
    this.#values = values;
    const roots = definition.axes.map((axis) => (isPresetAxis(axis) ? 'preset' : axis.path[0]));
    const of = (root: string): number[] => roots.flatMap((found, axis) => (found === root ? [axis] : []));
    this.#preset = of('preset');
    this.#cluster = of('cluster');
    this.#model = of('model');
    this.#plain = roots.flatMap((root, axis) => (['preset', 'cluster', 'model'].includes(root ?? '') ? [] : [axis]));
    const lengths = definition.axes.map(lengthOf);
    const combinations = this.#plain.reduce((product, axis) => product * (lengths[axis] ?? 1), 1);
    this.#plainRepeats = this.#plain.length < lengths.length && combinations <= MOST_REMEMBERED;
  }

  /** Checks every value of every axis. Throws `SlipwayError` where one could not be right at any point. */
  static async of(definition: SweepDefinition): Promise<PointScenarios> {
    return new PointScenarios(definition, await AxisValues.of(definition));
  }

  /** How the values of each axis are stored. */
  get kinds(): readonly ColumnKind[] {
    return this.#values.kinds;
  }

  /** Loads the presets of a point, unless they are there. Await it only where it gives a promise: a million points would pay for that. */
  load(digits: readonly number[]): Promise<void> | undefined {
    const key = keyAt(this.#preset, digits);
    if (this.#contexts.has(key)) return undefined;
    return pointContext(this.#definition, presetsAt(this.#definition.axes, digits))
      .catch(mistake)
      .then((made) => {
        this.#contexts.get(key, () => made);
      });
  }

  /** After `load`. Throws `SlipwayError` where the point is illegal. `cells` receives what each axis was set to, as far as that goes. */
  at(digits: readonly number[], cells: Cell[]): Scenario {
    const { axes } = this.#definition;
    for (const i of this.#preset) cells[i] = cellOf(listedValue(axes[i], digits[i]));
    const preset = keyAt(this.#preset, digits);
    const context = this.#contexts.get(
      preset,
      () => new SlipwayError('unsupported', 'a point was asked for before its presets'),
    );
    const { run, usual } = thrown(context);
    const own = this.#plainRun(run, preset, digits, cells);
    const loadModel = (changed: RunFile): Architecture => {
      // Shapes are checked together: heads that divide the width, experts that are no fewer than a token visits.
      if (this.#model.length > 0) checkRunFile({ model: changed.model, cluster: 'c' });
      return loadRunModel(changed, usual, { baseDirectory: this.#definition.baseDirectory });
    };
    const point = { run: own, digits, cells };
    const cluster = this.#part(this.#clusters, `cluster;${preset}`, this.#cluster, point, (r) =>
      loadCluster(r.cluster),
    );
    const model = this.#part(this.#models, `model;${preset};${own.sequenceLength}`, this.#model, point, loadModel);
    const parts = { cluster, model, usual };
    const all = this.#values.calculate(own, this.#plain, digits, cells, (changed) => assembleScenario(changed, parts));
    return assembleScenario(all, parts);
  }

  /** The run file with what the plain axes list, remembered where other axes come back to the same few of them. */
  #plainRun(run: RunFile, preset: string, digits: readonly number[], cells: Cell[]): RunFile {
    if (!this.#plainRepeats) return this.#values.assign(run, this.#plain, digits, cells);
    const known = this.#plainRuns.get(`${preset};${keyAt(this.#plain, digits)}`, () => {
      const own: Cell[] = [];
      return { value: this.#values.assign(run, this.#plain, digits, own), cells: own };
    });
    for (const axis of this.#plain) cells[axis] = known.cells[axis] ?? null;
    return known.value;
  }

  /** The part of the run file that `axes` change, remembered or loaded. */
  #part<T>(
    memo: Memo<Part<T> | SlipwayError>,
    name: string,
    axes: readonly number[],
    point: Point,
    load: (run: RunFile) => T,
  ): T {
    const { run, digits, cells } = point;
    const made = memo.get(`${name};${keyAt(axes, digits)}`, () =>
      settled(() => {
        const own: Cell[] = [];
        const assigned = this.#values.assign(run, axes, digits, own);
        const [root = ''] = name.split(';');
        const whole = this.#values.calculate(assigned, axes, digits, own, (changed) => ({ [root]: load(changed) }));
        return { value: load(whole), cells: own };
      }),
    );
    if (made instanceof SlipwayError) this.#values.assign(run, axes, digits, cells);
    const part = thrown(made);
    for (const axis of axes) cells[axis] = part.cells[axis] ?? null;
    return part.value;
  }
}

interface Point {
  readonly run: RunFile;
  readonly digits: readonly number[];
  readonly cells: Cell[];
}

function listedValue(axis: Axis | undefined, digit = 0): unknown {
  return axis?.change.kind === 'list' ? axis.change.values[digit] : undefined;
}

/** A mistake of the caller as a value, remembered like an answer; any other error is ours and goes on. */
function settled<T>(make: () => T): T | SlipwayError {
  try {
    return make();
  } catch (error) {
    return mistake(error);
  }
}

function mistake(error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  throw error;
}

function thrown<T>(value: T | SlipwayError): T {
  if (value instanceof SlipwayError) throw value;
  return value;
}
