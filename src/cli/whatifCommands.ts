import { type Command, Option } from '@commander-js/extra-typings';
import { addRunFileFlags, examples, flopsConvention, several, wholeNumber } from './commandOptions.js';
import { styleOf } from './output.js';
import type { Finish } from './program.js';

/** Where rows and charts go, for both commands. */
const csv = () => new Option('--csv <file>', 'write the rows as CSV');
const jsonl = () => new Option('--jsonl <file>', 'write the rows as JSON lines');
const parquet = () => new Option('--parquet <file>', 'write the rows as Parquet');
const svg = () => new Option('--svg <file>', 'write the chart as a picture');

/** `slipway whatif` and `slipway merge`. */
export function addWhatif(program: Command, finish: Finish, release: string): void {
  const command = program
    .command('whatif')
    .description(
      'a grid of estimates: sizes, strategies, future hardware; to a table, a chart, CSV, JSON lines, Parquet',
    )
    .argument('[run.yaml]', 'run file in YAML or JSON; - for standard input')
    .addHelpText(
      'before',
      examples(
        "slipway whatif examples/llama3-405b.yaml --vary 'accelerators=4096..16384*2' --vary tensorParallel=4,8",
        "slipway whatif run.yaml --vary 'cluster.accelerator.hbmBytesPerSecond*=1,1.5,2' --parquet out.parquet",
      ),
    )
    .option(
      '--vary <key=values>',
      'a list 4,8, a range a..b, a..b+step or a..b*factor, key*= and key+= relative to the run file, or a formula such as gbs=accelerators*2; may be repeated',
      several,
    )
    .option('--closed-form', 'only the closed form, for grids of millions of points')
    .option('--plan', 'the best plan of each point, searched: keys of the strategy that are left out are open')
    .option('--objective <figure>', 'with --plan: what the plans are best by; see slipway plan (default: step)')
    .option(
      '--sensitivity [percent]',
      'which figure of the hardware and the strategy moves the result most; default: 10',
    )
    .option('--metric <figure>', 'what is compared and drawn, such as mfu, tokensPerSecond or memory.deviceBytes')
    .option('--figures <a,b,...>', 'figures of the rows, by their names in the JSON of estimate')
    .addOption(csv())
    .addOption(jsonl())
    .addOption(parquet())
    .addOption(svg())
    .option('--json', 'print one JSON document')
    .option('--shard <i/n>', 'only every n-th point; in a Slurm array or an Indexed Job the default is its own part')
    .option('--shards <n>', 'into how many shards an engine splits the sweep', wholeNumber)
    .option('--workers <n>', 'threads; default: all cores where it pays', wholeNumber)
    .addOption(
      new Option(
        '--engine <name>',
        'where it runs: here, as a Slurm array, or as a Kubernetes Indexed Job, which is printed',
      )
        .choices(['local', 'slurm', 'kubernetes'])
        .default('local'),
    )
    .option('--dry-run', 'print the batch script, submit nothing')
    .option('--sbatch <option>', 'a line of the batch script, such as --partition=cpu; may be repeated', several)
    .option('--image <name>', 'with kubernetes: an image that holds slipway')
    .addOption(flopsConvention());
  addRunFileFlags(command as unknown as Command);
  command.action(async (file, flags) => {
    const { runWhatif } = await import('./whatif/whatif.js');
    finish(await runWhatif(file, flags, styleOf(process.stdout, process.env), release));
  });
  addMerge(program, finish);
}

function addMerge(program: Command, finish: Finish): void {
  program
    .command('merge')
    .description('joins the shards of a sweep; says which are missing, doubled or of another sweep')
    .argument('<shard.jsonl...>', 'what `slipway whatif --shard i/n --jsonl` wrote, in any order')
    .addHelpText(
      'before',
      examples(
        'slipway merge shard-*.jsonl --parquet all.parquet',
        'slipway merge a.jsonl b.jsonl --jsonl all.jsonl --json',
      ),
    )
    .addOption(csv())
    .addOption(jsonl())
    .addOption(parquet())
    .addOption(svg())
    .option('--metric <figure>', 'what is compared and drawn')
    .option('--json', 'print one JSON document')
    .action(async (files, flags) => {
      const { runMerge } = await import('./whatif/merge.js');
      finish(await runMerge(files, flags, styleOf(process.stdout, process.env)));
    });
}
