import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Plan } from '../planner/search/request.js';
import type { LoadedRun } from '../scenario/loadScenario.js';

/** The run file of a plan: what the user wrote, and the whole strategy spelt out, so that `estimate` answers the same. */
export async function runFileOf(
  { run, scenario }: LoadedRun,
  { strategy, accelerators }: Plan,
  files: { readonly source: string | undefined; readonly target: string },
): Promise<string> {
  const { stageLayers, recomputeModules, ...plain } = strategy;
  const lists = {
    ...(recomputeModules.length > 0 ? { recomputeModules } : {}),
    ...(stageLayers.length > 0 ? { stageLayers } : {}),
  };
  const { model, cluster, strategy: _, ...rest } = run;
  return stringify({
    model: typeof model === 'string' ? moved(model, files) : model,
    cluster,
    ...rest,
    accelerators,
    sequenceLength: scenario.sequenceLength,
    framework: scenario.framework.id,
    strategy: { ...plain, ...lists },
  });
}

/** A path starts from the run file's folder, so it changes with the folder. */
function moved(
  model: string,
  { source, target }: { readonly source: string | undefined; readonly target: string },
): string {
  const from = join(source === undefined || source === '-' ? '.' : dirname(source), model);
  if (!/[\\/.]/.test(model) || !existsSync(from)) return model;
  const path = relative(resolve(dirname(target)), resolve(from));
  return path.startsWith('.') ? path : `./${path}`;
}
