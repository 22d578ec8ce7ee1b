import { SlipwayError } from '../../errors.js';
import { indexedJobManifest } from '../../interop/kubernetesJob.js';
import type { SweepDefinition } from '../../planner/sweep/definition.js';
import { prepareSweep } from '../../planner/sweep/sweepRows.js';
import type { CommandOutput } from '../program.js';
import type { FlagValues } from '../runFileArguments.js';
import { shardCount, taskCommand, taskRunFile } from './taskCommand.js';

/** `--engine kubernetes`: prints an Indexed Job for `kubectl apply -f -`; `slipway merge` joins the shards it leaves on its volume. */
export async function printJob(flags: FlagValues, definition: SweepDefinition): Promise<CommandOutput> {
  if (typeof flags.image !== 'string') {
    throw new SlipwayError('invalid-run-file', 'needs --image, an image that holds slipway', {
      key: '--engine kubernetes',
    });
  }
  const { grid } = await prepareSweep(definition);
  const completions = shardCount(flags, grid.points);
  const command = taskCommand(
    ['slipway'],
    '/slipway/run.json',
    '/results/shard-{shard}.jsonl',
    completions,
    flags,
    definition,
  );
  const text = indexedJobManifest({
    name: 'slipway-whatif',
    image: flags.image,
    completions,
    parallelism: completions,
    command,
    files: { 'run.json': taskRunFile(definition) },
    claim: 'slipway-results',
  });
  return { text, exitCode: 0 };
}
