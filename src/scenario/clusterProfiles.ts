import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { SlipwayError } from '../errors.js';
import { readText } from './readText.js';

const limits = { mostBytes: 1_000_000, what: 'a cluster profile' };

/** Where `slipway calibrate --name` keeps profiles: the XDG configuration folder. */
export function profileFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const configured = environment.XDG_CONFIG_HOME;
  const base = configured?.startsWith('/') ? configured : join(homedir(), '.config');
  return join(base, 'slipway', 'clusters');
}

/** Names of the user's own cluster profiles. */
export function listProfiles(): string[] {
  const folder = profileFolder();
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => file.slice(0, -'.yaml'.length)).sort();
}

/** A cluster profile by name, or by the path of its file; undefined where there is none of that name. */
export function readProfile(name: string): { readonly file: string; readonly data: unknown } | undefined {
  const isPath = /[\\/]|\.ya?ml$/.test(name);
  const file = isPath ? name : join(profileFolder(), `${name}.yaml`);
  if (!isPath && (!/^[\w.+-]{1,100}$/.test(name) || !existsSync(file))) return undefined;
  const text = readText(file, limits);
  try {
    return { file, data: parse(text) };
  } catch (error) {
    const [message = 'unreadable'] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new SlipwayError('invalid-syntax', message, { file });
  }
}
