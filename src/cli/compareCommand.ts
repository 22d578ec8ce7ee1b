import type { Command } from '@commander-js/extra-typings';
import { addRunFileFlags, examples, flopsConvention } from './commandOptions.js';
import { styleOf } from './output.js';
import type { Finish } from './program.js';

/** `slipway compare`. */
export function addCompare(program: Command, finish: Finish): void {
  const command = program
    .command('compare')
    .description(
      'run files or saved plans side by side, with the reason for the gap; or an estimate against a measurement',
    )
    .argument(
      '<run.yaml...>',
      'run files, or JSON that estimate or plan printed; the first is what the others are compared with',
    )
    .addHelpText(
      'before',
      examples('slipway compare mine.yaml theirs.yaml', "slipway compare run.yaml --measured '38 %'"),
    )
    .option(
      '--measured <figure>',
      'explain the gap to a measurement: 8.3s, 41 % (MFU), 410 TFLOP/s per accelerator, 52000 tokens/s',
    )
    .option('--json', 'print one JSON document')
    .addOption(flopsConvention());
  addRunFileFlags(command as unknown as Command);
  command.action(async (files, flags) => {
    const { runCompare } = await import('./compare.js');
    finish(await runCompare(files, flags, styleOf(process.stdout, process.env)));
  });
}
