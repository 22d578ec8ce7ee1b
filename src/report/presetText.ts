import { formatBytes, formatBytesPerSecond, formatFlopsPerSecond, formatSeconds } from '../quantity/format.js';
import { type TextStyle, tint, wrapped } from './text.js';

interface Line {
  readonly name: string;
  readonly value: string;
  /** `datasheet [sheet]`: how a figure came about and the key of its source; empty for what is no figure. */
  readonly origin: string;
}

/** A preset for people: every figure with its unit, its kind and the key of its source, and then the sources. */
export function presetText(preset: Readonly<Record<string, unknown>>, style: TextStyle): string {
  const { sources, ...fields } = preset;
  const lines = flattened(fields, '');
  const names = Math.min(38, Math.max(...lines.map(({ name }) => name.length)));
  const values = Math.min(16, Math.max(...lines.map(({ value }) => value.length)));
  const body = lines.flatMap(({ name, value, origin }) => {
    const long = value.length > values;
    const head = long ? `${name}: ` : `${name.padEnd(names)}  ${value.padEnd(values)}  `;
    return wrapped(
      head.length > style.columns / 2 && long ? '  ' : head,
      [...(long ? value.split(' ') : []), origin],
      style.columns,
    );
  });
  return `${[...body, ...sourceLines(sources, style)].map((line) => line.trimEnd()).join('\n')}\n`;
}

function sourceLines(sources: unknown, style: TextStyle): readonly string[] {
  if (typeof sources !== 'object' || sources === null) return [];
  const named = Array.isArray(sources) ? sources.map((text) => ['-', text] as const) : Object.entries(sources);
  const lines = named.flatMap(([key, text]) =>
    wrapped(key === '-' ? '  - ' : `  [${key}] `, String(text).split(' '), style.columns),
  );
  return ['', tint('Sources', 'bold', style), ...lines];
}

function flattened(value: unknown, path: string): readonly Line[] {
  if (typeof value !== 'object' || value === null) return [{ name: path, value: shown(value, path), origin: '' }];
  if (isFigure(value)) {
    const { kind, source, ...rest } = value;
    const text = 'value' in rest ? shown(rest.value, path) : JSON.stringify(rest).replaceAll(/([,:])/g, '$1 ');
    return [{ name: path, value: text, origin: `${String(kind ?? '')} [${String(source ?? '')}]` }];
  }
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || Array.isArray(item))) {
    return [{ name: path, value: value.map((item) => JSON.stringify(item)).join(', '), origin: '' }];
  }
  return Object.entries(value).flatMap(([key, child]) => flattened(child, path === '' ? key : `${path}.${key}`));
}

function isFigure(value: object): value is { kind?: unknown; source?: unknown; value?: unknown } {
  return 'kind' in value && 'source' in value;
}

/** A number in the unit that its name says. */
function shown(value: unknown, path: string): string {
  if (typeof value !== 'number') return String(value);
  if (/FlopsPerSecond/.test(path)) return formatFlopsPerSecond(value);
  if (/BytesPerSecond$/.test(path)) return formatBytesPerSecond(value);
  if (/Bytes$/.test(path)) return formatBytes(value);
  if (/Seconds$/.test(path)) return formatSeconds(value);
  if (/Hertz$/.test(path)) return `${value / 1e9} GHz`;
  if (/GbitPerSecond$/.test(path)) return `${value} Gbit/s`;
  if (/^watts/i.test(path)) return `${value} W`;
  return /^dollars/.test(path) ? `${value} $/h` : String(value);
}
