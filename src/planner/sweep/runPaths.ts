/** Reading and writing values of a run file by key path. */

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

/** A copy with one value changed; what lies beside the path is shared. */
export function withValue<T>(target: T, path: readonly string[], value: unknown): T {
  const [step, ...rest] = path;
  if (step === undefined) return value as T;
  const fields = typeof target === 'object' && target !== null ? target : {};
  return { ...fields, [step]: withValue(Reflect.get(fields, step), rest, value) } as T;
}

/** `withValue` for many values at once: every object on a path is copied once, not once for each value. */
export function withValues<T>(target: T, values: readonly (readonly [readonly string[], unknown])[]): T {
  const whole = copyOf(target);
  const copies = new Map<string, object>();
  for (const [path, value] of values) {
    let at: object = whole;
    let name = '';
    for (let i = 0; i < path.length - 1; i++) {
      const step = path[i] ?? '';
      name += `${step}.`;
      let next = copies.get(name);
      if (next === undefined) {
        next = copyOf(Reflect.get(at, step));
        copies.set(name, next);
        Reflect.set(at, step, next);
      }
      at = next;
    }
    Reflect.set(at, path.at(-1) ?? '', value);
  }
  return whole as T;
}

function copyOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Every number in a value, changed: a figure, or all peaks of an accelerator at once. Undefined where there is none. */
export function mapNumbers(value: unknown, change: (number: number) => number): unknown {
  if (typeof value === 'number') return change(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value).map(([key, part]) => [key, mapNumbers(part, change)] as const);
  return entries.some(([, part]) => part === undefined) ? undefined : Object.fromEntries(entries);
}
