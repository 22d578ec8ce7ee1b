/** Numbers as people read them, always with their unit. GiB for memory, SI for everything else. */

export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 40 * 10) return `${significant(bytes / 2 ** 40)} TiB`;
  if (bytes >= 2 ** 30 * 0.1) return `${fixed(bytes / 2 ** 30)} GiB`;
  if (bytes >= 2 ** 20 * 0.1) return `${fixed(bytes / 2 ** 20)} MiB`;
  return bytes >= 2 ** 10 ? `${fixed(bytes / 2 ** 10)} KiB` : `${Math.round(bytes)} B`;
}

export function formatSeconds(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${fixed(seconds / 86_400)} days`;
  if (seconds >= 2 * 3600) return `${fixed(seconds / 3600)} h`;
  if (seconds >= 600) return `${fixed(seconds / 60)} min`;
  if (seconds >= 1 || seconds === 0) return `${significant(seconds)} s`;
  if (seconds >= 1e-3) return `${significant(seconds * 1e3)} ms`;
  return `${significant(seconds * 1e6)} us`;
}

/** 15.6T, 405B, 2.05M; below a million in full. */
export function formatCount(count: number): string {
  for (const [suffix, size] of [
    ['T', 1e12],
    ['B', 1e9],
    ['M', 1e6],
  ] as const) {
    if (count >= size) return `${significant(count / size)}${suffix}`;
  }
  return count >= 1000 ? grouped(Math.round(count)) : `${Number(count.toPrecision(4))}`;
}

export function formatDollars(dollars: number): string {
  if (dollars >= 1e9) return `$${significant(dollars / 1e9)} billion`;
  if (dollars >= 1e6) return `$${significant(dollars / 1e6)} million`;
  return dollars >= 1000 ? `$${grouped(Math.round(dollars))}` : `$${dollars.toFixed(2)}`;
}

export function formatFlopsPerSecond(rate: number): string {
  if (rate >= 1e18) return `${significant(rate / 1e18)} EFLOP/s`;
  return rate >= 1e15 ? `${significant(rate / 1e15)} PFLOP/s` : `${significant(rate / 1e12)} TFLOP/s`;
}

export function formatBytesPerSecond(rate: number): string {
  return rate >= 1e12 ? `${significant(rate / 1e12)} TB/s` : `${significant(rate / 1e9)} GB/s`;
}

export function formatEnergy(kilowattHours: number): string {
  if (kilowattHours < 1000) return `${significant(kilowattHours)} kWh`;
  return kilowattHours >= 1e6 ? `${significant(kilowattHours / 1e6)} GWh` : `${significant(kilowattHours / 1e3)} MWh`;
}

/** Mass of CO2. */
export function formatTonnes(tonnes: number): string {
  return tonnes < 1 ? `${significant(tonnes * 1000)} kg` : `${significant(tonnes)} t`;
}

/** 0.4137 as `41.4 %`. */
export function formatRatio(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

/** Thousands separated by commas. */
export function grouped(whole: number): string {
  return String(whole).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** One decimal, two below ten. */
function fixed(value: number): string {
  return value >= 1000 ? grouped(Math.round(value)) : value.toFixed(value < 10 ? 2 : 1);
}

/** Three significant digits, without exponent. */
function significant(value: number): string {
  return value >= 1000 ? grouped(Math.round(value)) : String(Number(value.toPrecision(3)));
}
