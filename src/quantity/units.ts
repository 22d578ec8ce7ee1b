/** What a number measures. Every quantity is held in the unit in brackets. */
export type Dimension =
  | 'bytes' // bytes
  | 'bytesPerSecond' // bytes per second
  | 'seconds' // seconds
  | 'hertz' // cycles per second
  | 'flops' // floating-point operations, a count
  | 'flopsPerSecond' // floating-point operations per second
  | 'count' // tokens, parameters, steps
  | 'dollars' // US dollars
  | 'dollarsPerHour' // US dollars per hour
  | 'watts' // watts
  | 'ratio'; // 0..1

export interface DimensionUnits {
  /** For messages: `bytes, such as 80 GB or 80 GiB`. */
  readonly expected: string;
  /** Spelling to factor, exact case: Gb is not GB. */
  readonly units: ReadonlyMap<string, number>;
}

const decimal = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Z: 1e21 };
const binary = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 };

function prefixed(prefixes: Readonly<Record<string, number>>, names: readonly string[], scale = 1): [string, number][] {
  return Object.entries(prefixes).flatMap(([prefix, factor]) =>
    names.map((name): [string, number] => [prefix + name, factor * scale]),
  );
}

const byteNames = ['B', 'byte', 'bytes'];
const perSecond = (names: readonly string[]): string[] => names.map((name) => `${name}/s`);

const bytes = new Map([...prefixed(decimal, byteNames), ...prefixed(binary, byteNames), ['KB', 1e3]]);

const bytesPerSecond = new Map([
  ...prefixed(decimal, perSecond(byteNames)),
  ...prefixed(binary, perSecond(byteNames)),
  ...prefixed(decimal, ['Bps']),
  ...prefixed(decimal, [...perSecond(['bit', 'bits', 'b']), 'bps'], 1 / 8),
]);

const hour = 3600;
const day = 24 * hour;
const seconds = new Map<string, number>([
  ...(['ns', 'nanosecond', 'nanoseconds'].map((unit) => [unit, 1e-9]) as [string, number][]),
  ...(['us', 'µs', 'μs', 'microsecond', 'microseconds'].map((unit) => [unit, 1e-6]) as [string, number][]),
  ...(['ms', 'millisecond', 'milliseconds'].map((unit) => [unit, 1e-3]) as [string, number][]),
  ...(['s', 'sec', 'second', 'seconds'].map((unit) => [unit, 1]) as [string, number][]),
  ...(['min', 'minute', 'minutes'].map((unit) => [unit, 60]) as [string, number][]),
  ...(['h', 'hour', 'hours'].map((unit) => [unit, hour]) as [string, number][]),
  ...(['d', 'day', 'days'].map((unit) => [unit, day]) as [string, number][]),
  ...(['week', 'weeks'].map((unit) => [unit, 7 * day]) as [string, number][]),
  ...(['year', 'years'].map((unit) => [unit, 365 * day]) as [string, number][]),
]);

const flopNames = ['FLOP', 'FLOPs', 'flop', 'flops'];
const rateNames = [...perSecond(flopNames), 'FLOPS', 'FLOPs', 'flops'];

const count = new Map([
  ['', 1],
  ['k', 1e3],
  ['K', 1e3],
  ['M', 1e6],
  ['B', 1e9],
  ['T', 1e12],
]);

const dollarNames = ['$', 'USD', 'dollars'];
const money = { '': 1, k: 1e3, M: 1e6, B: 1e9 };
const perHour = dollarNames.flatMap((name) => ['/h', '/hour', '/hr', '/GPUh', '/GPU-hour'].map((per) => name + per));

/** Units by dimension. GB is 1e9 and GiB is 2^30, everywhere; bit rates divide by eight. */
export const dimensions: Readonly<Record<Dimension, DimensionUnits>> = {
  bytes: { expected: 'bytes, such as 80 GB or 80 GiB', units: bytes },
  bytesPerSecond: { expected: 'bytes per second, such as 50 GB/s or 400 Gbit/s', units: bytesPerSecond },
  seconds: { expected: 'a time, such as 3.5 us, 20 ms or 30 days', units: seconds },
  hertz: { expected: 'a frequency, such as 1.98 GHz', units: new Map(prefixed(decimal, ['Hz'])) },
  flops: { expected: 'a number of FLOPs, such as 5.76e23 FLOPs', units: new Map(prefixed(decimal, flopNames)) },
  flopsPerSecond: {
    expected: 'FLOPs per second, such as 989 TFLOP/s',
    units: new Map(prefixed(decimal, rateNames)),
  },
  count: { expected: 'a count, such as 2048, 300B or 15.6T', units: count },
  dollars: { expected: 'US dollars, such as 3 M$ or $30000', units: new Map(prefixed(money, dollarNames)) },
  dollarsPerHour: {
    expected: 'US dollars per hour, such as 2.5 $/h',
    units: new Map(perHour.map((name) => [name, 1])),
  },
  watts: { expected: 'watts, such as 700 W or 10.2 kW', units: new Map(prefixed(decimal, ['W', 'watt', 'watts'])) },
  ratio: {
    expected: 'a ratio, such as 0.85 or 85 %',
    units: new Map([
      ['', 1],
      ['%', 0.01],
    ]),
  },
};
