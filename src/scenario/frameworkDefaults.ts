import { SlipwayError } from '../errors.js';
import type { SourcedFigure } from '../hardware/figure.js';
import type { Framework } from '../parallelism/framework.js';
import { type FrameworkFile, frameworkFileSchema } from './frameworkSchema.js';
import { readPreset } from './presetFiles.js';
import type { RunFile } from './runFileSchema.js';
import { schemaError } from './schemaErrors.js';

/** What a framework fills in, with `flashAttention` still open: the kernel depends on the accelerator. */
export type StrategyDefaults = NonNullable<RunFile['strategy']>;

export interface LoadedFramework {
  readonly framework: Framework;
  readonly defaults: StrategyDefaults;
}

const files = new Map<string, FrameworkFile>();
const loaded = new Map<string, LoadedFramework>();

/** The figures and defaults of a framework, changed by the first version whose name `frameworkVersion` contains. */
export function loadFramework(id: Framework['id'], frameworkVersion = ''): LoadedFramework {
  const cacheKey = `${id}\n${frameworkVersion}`;
  const known = loaded.get(cacheKey);
  if (known) return known;
  const result = select(frameworkFile(id), frameworkVersion.toLowerCase());
  loaded.set(cacheKey, result);
  return result;
}

function frameworkFile(id: Framework['id']): FrameworkFile {
  const known = files.get(id);
  if (known) return known;
  const { data: value, compiled } = readPreset('frameworks', id);
  if (compiled) {
    const file = value as FrameworkFile;
    files.set(id, file);
    return file;
  }
  const result = frameworkFileSchema().safeParse(value);
  if (!result.success) {
    const mistake = schemaError(result.error, value, frameworkFileSchema(), () => ({
      file: `presets/frameworks/${id}.yaml`,
    }));
    throw new SlipwayError('invalid-preset', mistake.message, mistake.place);
  }
  files.set(id, result.data);
  return result.data;
}

function select(file: FrameworkFile, version: string): LoadedFramework {
  const found = file.versions.find(({ match }) => match.some((part) => version.includes(part.toLowerCase())));
  const { match: _, ...changes } = found ?? { match: [], version: file.base.version };
  const defaults = { ...file.base.defaults, ...defined(changes.defaults ?? {}) };
  const { flashAttention: _flash, pipelineLayout: _layout, pipelineSchedule: _schedule, ...strategy } = defaults;
  const figures = {
    ...file.base,
    ...defined(changes),
    memory: plainFigures({ ...file.base.memory, ...defined(changes.memory ?? {}) }),
    id: file.id,
    defaults: defined(strategy),
  };
  return { defaults, framework: plainFigures(figures) };
}

type Plain<T> = { [K in keyof T]: Exclude<T[K], SourcedFigure> };

/** Figures without where they come from. */
function plainFigures<T extends object>(figures: T): Plain<T> {
  return Object.fromEntries(
    Object.entries(figures).map(([key, figure]) => [key, isSourced(figure) ? figure.value : figure]),
  ) as Plain<T>;
}

function isSourced(figure: unknown): figure is SourcedFigure {
  return typeof figure === 'object' && figure !== null && 'value' in figure && 'source' in figure;
}

/** Without the fields that are `undefined`, so that spreading them changes nothing. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
