import { SlipwayError } from '../../errors.js';
import { compileFormula, type Formula } from '../../quantity/formula.js';
import type { RunFile } from '../../scenario/runFileSchema.js';
import { type Axis, keyOf } from './axis.js';
import { checkValue, numberCheck } from './checkValue.js';
import type { SweepDefinition } from './definition.js';
import type { Cell, ColumnKind } from './figures.js';
import { formulaNames } from './formulaNames.js';
import { isPresetAxis, ownNumber, type PointContext, pointContext } from './pointContext.js';
import { mapNumbers, valueAt, withValue, withValues } from './runPaths.js';

/** What the axes set in a run file, every listed value checked and every formula compiled before the first point. */
export class AxisValues {
  readonly axes: readonly Axis[];
  /** By axis and digit; empty for presets, which their context checks, and for axes that calculate. */
  readonly #listed: readonly (readonly unknown[])[];
  readonly #formulas: readonly (Formula | undefined)[];
  readonly #checks: readonly ((value: number) => unknown)[];

  private constructor(
    axes: readonly Axis[],
    listed: readonly (readonly unknown[])[],
    formulas: readonly (Formula | undefined)[],
  ) {
    this.axes = axes;
    this.#listed = listed;
    this.#formulas = formulas;
    this.#checks = axes.map(numberCheck);
  }

  /** Throws `SlipwayError` where a value could not be right at any point. */
  static async of(definition: SweepDefinition): Promise<AxisValues> {
    const { axes } = definition;
    const first = axes.map(() => 0);
    const context = await pointContext(definition, presetsAt(axes, first));
    const listed: unknown[][] = [];
    for (const [index, axis] of axes.entries()) {
      if (axis.change.kind !== 'list') listed.push([]);
      else if (isPresetAxis(axis)) {
        for (const digit of axis.change.values.keys()) {
          await pointContext(definition, presetsAt(axes, first.with(index, digit)));
        }
        listed.push([]);
      } else listed.push(await checkedValues(context, axis, axis.change.values));
    }
    const formulas = axes.map(({ change }) =>
      change.kind === 'formula' ? compileFormula(change.text, formulaNames) : undefined,
    );
    return new AxisValues(axes, listed, await Promise.all(formulas));
  }

  /** How the values of each axis are stored: by what the schema made of them, a number of bytes and not `80 GiB`. */
  get kinds(): readonly ColumnKind[] {
    return this.axes.map(({ change }, index) => {
      if (change.kind !== 'list') return 'number';
      const listed = this.#listed[index] ?? [];
      return kindOfValues(listed.length > 0 ? listed : change.values);
    });
  }

  /** The run file with the listed values of these axes in it, which `cells` receives too. */
  assign(run: RunFile, axes: readonly number[], digits: readonly number[], cells: Cell[]): RunFile {
    const values: [readonly string[], unknown][] = [];
    for (const index of axes) {
      const axis = this.axes[index];
      if (axis?.change.kind !== 'list') continue;
      const value = this.#listed[index]?.[digits[index] ?? 0];
      cells[index] = cellOf(value);
      values.push([axis.path, value]);
    }
    return values.length === 0 ? run : withValues(run, values);
  }

  /** The same for formulas, factors and differences; `resolve` fills in numbers that the run file leaves open. */
  calculate(
    run: RunFile,
    axes: readonly number[],
    digits: readonly number[],
    cells: Cell[],
    resolve: (run: RunFile) => unknown,
  ): RunFile {
    let calculated = run;
    for (const index of axes) {
      const axis = this.axes[index];
      if (axis === undefined || axis.change.kind === 'list') continue;
      const value = this.#calculated(calculated, axis, index, digits[index] ?? 0, resolve);
      cells[index] = shownOf(value, axis, digits[index] ?? 0);
      calculated = withValue(calculated, axis.path, this.#checked(index, value));
    }
    return calculated;
  }

  #calculated(run: RunFile, axis: Axis, index: number, digit: number, resolve: (run: RunFile) => unknown): unknown {
    const { change } = axis;
    const formula = this.#formulas[index];
    let resolved: unknown;
    const full = (): unknown => {
      resolved ??= resolve(run);
      return resolved;
    };
    if (formula !== undefined) return formula((name) => numberNamed(name, run, full));
    const by = change.kind === 'times' || change.kind === 'plus' ? (change.values[digit] ?? 0) : 0;
    const own = ownNumber(run, valueAt(run, axis.path) === undefined ? full() : undefined, axis.path);
    const value = mapNumbers(own, (number) => (change.kind === 'times' ? number * by : number + by));
    if (value !== undefined) return value;
    throw new SlipwayError('invalid-run-file', 'there is no number to change', { key: keyOf(axis) });
  }

  /** As the run file's schema takes it: a fraction of a layer is no number of layers. Peaks of several formats go unchecked. */
  #checked(index: number, value: unknown): unknown {
    return typeof value === 'number' ? this.#checks[index]?.(value) : value;
  }
}

function kindOfValues(values: readonly unknown[]): ColumnKind {
  if (values.every((value) => typeof value === 'boolean')) return 'boolean';
  if (values.every((value) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31)) return 'integer';
  return values.every((value) => typeof value === 'number') ? 'number' : 'text';
}

async function checkedValues({ run }: PointContext, axis: Axis, values: readonly unknown[]): Promise<unknown[]> {
  const checked: unknown[] = [];
  for (const value of values) checked.push(await checkValue(run, axis, value));
  return checked;
}

/** Which presets a point has. */
export function presetsAt(
  axes: readonly Axis[],
  digits: readonly number[],
): { readonly path: readonly string[]; readonly value: unknown }[] {
  return axes.flatMap(({ path, change }, index) => {
    const preset = change.kind === 'list' && isPresetAxis({ name: '', path, change });
    return preset ? [{ path, value: change.values[digits[index] ?? 0] }] : [];
  });
}

/** A number of the point: what an axis or the run file set, else what was filled in. */
function numberNamed(name: string, run: RunFile, resolve: () => unknown): number {
  const set: unknown = Reflect.get(run, name) ?? valueAt(run.strategy, [name]);
  if (typeof set === 'number') return set;
  const full = resolve();
  const found = valueAt(full, [name]) ?? valueAt(full, ['strategy', name]) ?? valueAt(full, ['model', name]);
  return typeof found === 'number' ? found : Number.NaN;
}

/** A calculated number, or the factor where several numbers were changed at once. */
function shownOf(value: unknown, { change }: Axis, digit: number): Cell {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return change.kind === 'times' || change.kind === 'plus' ? (change.values[digit] ?? null) : null;
}

export function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : (value as Cell);
}
