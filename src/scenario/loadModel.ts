import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { SlipwayError } from '../errors.js';
import { architectureFromHuggingFace } from '../interop/huggingFace.js';
import { type ArchitectureInput, architectureInputSchema } from '../model/architectureSchema.js';
import { nearest } from '../quantity/nearest.js';
import { once } from '../quantity/once.js';
import { namesOfPresets, type PresetFile, readPreset } from './presetFiles.js';
import { type FileLimits, readText } from './readText.js';
import { schemaError } from './schemaErrors.js';

/** A configuration is a few kilobytes; weights given by mistake are gigabytes. */
const configLimits: FileLimits = { mostBytes: 1_000_000, what: 'a config.json' };

/** The `model` of a run file: a preset's id, or the path of a Hugging Face config.json or of the folder that holds it. */
export function loadModel(model: string, baseDirectory = '.'): ArchitectureInput {
  const path = resolve(baseDirectory, model);
  if (looksLikePath(model)) return fromHuggingFace(path, model);
  try {
    return checked(readPreset('models', model));
  } catch (error) {
    // A folder in the working directory may have any name; a preset of that name goes first.
    if (error instanceof SlipwayError && error.code === 'unknown-preset') {
      if (existsSync(join(path, 'config.json'))) return fromHuggingFace(path, model);
      throw new SlipwayError('unknown-preset', error.message, { ...error.place, key: 'model' });
    }
    throw error;
  }
}

function looksLikePath(model: string): boolean {
  return /[\\/]|\.json$|^\.{1,2}$/.test(model);
}

function fromHuggingFace(path: string, shown: string): ArchitectureInput {
  const text = readConfig(path, shown);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new SlipwayError('invalid-syntax', `${shown} is not valid JSON`, { key: 'model' });
  }
  try {
    return architectureFromHuggingFace(config);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    // The key is one of config.json; in the run file it is `model` that is wrong.
    const key = error.place.key === undefined ? '' : `${error.place.key}: `;
    throw new SlipwayError(error.code, `${shown}: ${key}${error.message}`, { ...error.place, key: 'model' });
  }
}

function readConfig(path: string, shown: string): string {
  const place = { key: 'model' };
  if (!existsSync(path)) throw new SlipwayError('unreadable-file', `no file or folder ${shown}${hint(shown)}`, place);
  const file = statSync(path).isDirectory() ? join(path, 'config.json') : path;
  if (!existsSync(file)) throw new SlipwayError('unreadable-file', `the folder ${shown} holds no config.json`, place);
  try {
    return readText(file, configLimits);
  } catch (error) {
    throw error instanceof SlipwayError ? new SlipwayError(error.code, `${shown}: ${error.message}`, place) : error;
  }
}

/** A name on the Hugging Face hub looks like a path; nothing is downloaded, but there may be a preset of that model. */
function hint(shown: string): string {
  const guess = nearest(basename(shown), namesOfPresets('models'));
  return guess === undefined
    ? '; give a preset, or download its config.json and give the path'
    : `; did you mean ${guess}?`;
}

/** A file of presets/models; what else it says (published counts, sources) is for readers and tests. */
const modelFileSchema = once(() => z.looseObject({ name: z.string().min(1), architecture: architectureInputSchema }));

function checked({ data, file, compiled }: PresetFile): ArchitectureInput {
  if (compiled) {
    const { architecture, name } = data as z.output<ReturnType<typeof modelFileSchema>>;
    return { ...architecture, name };
  }
  const result = modelFileSchema().safeParse(data);
  if (result.success) return { ...result.data.architecture, name: result.data.name };
  const mistake = schemaError(result.error, data, modelFileSchema(), () => ({ file }));
  throw new SlipwayError('invalid-preset', mistake.message, mistake.place);
}
