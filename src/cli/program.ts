import { Command } from '@commander-js/extra-typings';
import { addRunFileFlags, examples, flopsConvention, several, wholeNumber } from './commandOptions.js';
import { addCompare } from './compareCommand.js';
import { styleOf, writeOut } from './output.js';
import { addWhatif } from './whatifCommands.js';

/** What a command hands to main: the text for stdout, and 0 for done, 1 for a question whose answer is no, 130 where Ctrl-C ended it. */
export interface CommandOutput {
  readonly text: string;
  readonly exitCode: 0 | 1 | 130;
}

/** Prints a command's answer; `setExitCode` is the process's. */
export type Finish = (output: CommandOutput) => void;

/** All commands. Each is loaded only when it runs, so that `--help` needs neither zod nor yaml. */
export function makeProgram(version: string, setExitCode: (code: number) => void): Command {
  const finish: Finish = ({ text, exitCode }) => {
    writeOut(text);
    setExitCode(exitCode);
  };
  const program = new Command('slipway')
    .description(
      'Plans and simulates distributed training of large models: does it fit, how fast, when done, what it costs.',
    )
    .version(version, '-V, --version')
    .configureHelp({ minWidthToWrap: 20 })
    .addHelpText('before', examples('slipway estimate run.yaml', 'slipway presets list models'))
    .addHelpText('after', '\nExit status: 0 done, 1 the answer is no (it does not fit), 2 bad input.');
  addTui(program, setExitCode);
  addEstimate(program, finish);
  addPlan(program, finish);
  addSimulate(program, finish);
  addCompare(program as unknown as Command, finish);
  addWhatif(program as unknown as Command, finish, version);
  addValidate(program, finish);
  addCalibrate(program, finish);
  addPresets(program, finish);
  addSchema(program, finish);
  return program as unknown as Command;
}

function addTui(program: Command, setExitCode: (code: number) => void): void {
  program
    .command('tui')
    .description('the terminal UI, also what slipway alone opens: change a value, see memory, speed and days move')
    .argument('[run.yaml]', 'run file in YAML or JSON; without it, where the last session ended')
    .addHelpText('before', examples('slipway', 'slipway tui examples/llama3-405b.yaml --ascii'))
    .option('--ascii', 'draw with ASCII alone, as without a UTF-8 locale')
    .action(async (file, flags) => {
      const { openTui } = await import('./openTui.js');
      setExitCode(await openTui(file, flags.ascii === true));
    });
}

function addEstimate(program: Command, finish: Finish): void {
  const command = program
    .command('estimate')
    .description('memory, step time, throughput, training time and cost of one strategy')
    .argument('[run.yaml]', 'run file in YAML or JSON; - for standard input')
    .addHelpText(
      'before',
      examples(
        'slipway estimate examples/llama3-405b.yaml --micro-batch-size 2',
        'slipway estimate --model llama3-8b --cluster dgx-h100 --json',
      ),
    )
    .option('--json', 'print one JSON document')
    .addOption(flopsConvention())
    .option('--no-advice', 'do not try neighbouring strategies');
  addRunFileFlags(command as unknown as Command);
  command.action(async (file, flags) => {
    const { runEstimate } = await import('./estimate.js');
    finish(await runEstimate(file, flags, styleOf(process.stdout, process.env)));
  });
}

function addPlan(program: Command, finish: Finish): void {
  const command = program
    .command('plan')
    .description('the best strategies for a model and cluster, found exactly, and why')
    .argument('[run.yaml]', 'run file in YAML or JSON; - for standard input. What it leaves out is searched')
    .addHelpText(
      'before',
      examples(
        'slipway plan --model llama3-8b --cluster dgx-h100 --gbs 128 --diverse',
        "slipway plan run.yaml --fix tp=8,pp=4..16 --where 'mfu > 0.4' --save a.yaml",
      ),
    )
    .addHelpText('after', planHelp)
    .option('--json', 'print one JSON document')
    .option('--objective <figure>', 'what to make small or large (default: step)')
    .option('--where <condition>', "what every plan meets: 'memory.peakBytes < 72 GB and mfu > 0.4'")
    .option('--fix <key=values>', 'hold keys to values: tp=8,pp=8..32; may be repeated', several)
    .option('--deadline <time>', "smallest cluster that is done in time, such as '30 days'")
    .option('--budget <money>', "smallest cluster that costs at most so much, such as '2M$'")
    .option('--top <n>', 'how many plans (default: 10)', wholeNumber)
    .option('--diverse', 'only plans that differ in degrees, micro-batch or precision')
    .option('--pareto <figures>', 'axes of the front among the plans (default: step,memory)')
    .option('--why-not <key=values>', 'why these values are not in the answer; may be repeated', several)
    .option('--save <run.yaml>', 'write the best plan as a run file')
    .option('--progress', 'report progress on standard error also where that is no terminal');
  addRunFileFlags(command as unknown as Command);
  command.action(async (file, flags) => {
    const { runPlan } = await import('./plan.js');
    finish(await runPlan(file, flags, styleOf(process.stdout, process.env)));
  });
}

const planHelp = `
Objectives: step, tokens-per-dollar, days, cost, energy, headroom, accelerators,
another figure of estimate --json (mfu, memory.peakBytes, ...), or an
expression over figures, which is made small. The global batch, and every key
that the run file gives, stay as they are; --fix holds further ones.
Ctrl-C ends the search with the best plans so far, a second one at once.
Exit status: 0 found, 1 nothing fits or meets the conditions, 2 bad input.`;

function addSimulate(program: Command, finish: Finish): void {
  const command = program
    .command('simulate')
    .description('one step event by event: pipeline picture, critical path, memory over time')
    .argument('[run.yaml]', 'run file in YAML or JSON; - for standard input')
    .addHelpText(
      'before',
      examples(
        'slipway simulate examples/llama3-405b.yaml --trace step.json --svg step.svg',
        'slipway simulate run.yaml --schedule examples/schedule-1f1b.csv --from 1.2s --to 1.8s',
      ),
    )
    .option('--json', 'print one JSON document')
    .option('--trace <file>', 'write a trace that chrome://tracing and Perfetto open')
    .option('--svg <file>', 'write a picture of the timeline')
    .option(
      '--schedule <file>',
      'a pipeline schedule of your own: CSV or YAML, rank x slot, cells such as F0, B0, W0.1',
    )
    .option(
      '--slow-rank <rank:factor>',
      'an accelerator that computes slower, such as 17:1.3; may be repeated',
      several,
    )
    .option('--slow-links <factor>', 'messages and data-parallel traffic take so many times as long')
    .option('--jitter <fraction>', 'noise of every pass: standard deviation over its mean')
    .option('--checkpoint', 'a step during which a checkpoint is copied to the hosts')
    .option('--seed <n>', 'of the noise; the same seed gives the same step (default: 1)')
    .option('--from <time>', 'start of the picture, such as 1.2s')
    .option('--to <time>', 'end of the picture')
    .option('--width <columns>', 'width of the picture; default: the terminal', wholeNumber);
  addRunFileFlags(command as unknown as Command);
  command.action(async (file, flags) => {
    const { runSimulate } = await import('./simulate.js');
    finish(await runSimulate(file, flags, styleOf(process.stdout, process.env)));
  });
}

function addValidate(program: Command, finish: Finish): void {
  program
    .command('validate')
    .description('predicted against measured, for published or own runs')
    .argument('[runs.jsonl]', 'one measured run per line; without it, the published runs that ship with slipway')
    .addHelpText('before', examples('slipway validate', 'slipway validate my-runs.jsonl --json'))
    .option('--json', 'print one JSON document')
    .option('--family <name>', 'only the runs of one family')
    .option('--worst <n>', 'how many of the worst runs to list (default: 5)', wholeNumber)
    .action(async (file, flags) => {
      const { validate } = await import('./validate.js');
      finish(validate(file, flags));
    });
}

function addCalibrate(program: Command, finish: Finish): void {
  program
    .command('calibrate')
    .description('fits a cluster to your own measurements: step times, nccl-tests, GEMM timings')
    .addHelpText(
      'before',
      examples(
        'slipway calibrate --cluster dgx-h100 --gemm examples/calibrate/gemm.csv --nccl examples/calibrate/all_reduce_perf.txt --name ours',
        'slipway calibrate --steps examples/calibrate/run.yaml=examples/calibrate/megatron.log --save ours.yaml',
      ),
    )
    .option('--cluster <name>', 'the cluster that was measured; default: that of the first run file')
    .option(
      '--steps <run.yaml=log>',
      'a run file and its log: Megatron-LM, DeepSpeed, torchtitan or CSV with step,seconds; may be repeated',
      several,
    )
    .option('--nccl <file>', 'output of nccl-tests; may be repeated', several)
    .option('--gemm <file>', 'CSV with m,n,k,seconds[,dtype] of GEMMs timed alone; may be repeated', several)
    .option('--name <name>', 'keep the result as a cluster of that name, for --cluster')
    .option('--save <file.yaml>', 'write the result to a file, for --cluster')
    .option('--json', 'print one JSON document')
    .action(async (flags) => {
      const { runCalibrate } = await import('./calibrate.js');
      finish(await runCalibrate(flags, styleOf(process.stdout, process.env)));
    });
}

function addPresets(program: Command, finish: Finish): void {
  const presets = program
    .command('presets')
    .description('models, accelerators, clusters and frameworks, with the source of every figure')
    .addHelpText('before', examples('slipway presets list accelerators', 'slipway presets show dgx-h100'));
  presets
    .command('list', { isDefault: true })
    .description('names of all presets, or of one kind')
    .argument('[kind]', 'models, accelerators, clusters or frameworks')
    .addHelpText('before', examples('slipway presets list', 'slipway presets list models --json'))
    .option('--json', 'print one JSON document')
    .action(async (kind, flags) => {
      const { listAll } = await import('./presets.js');
      finish(listAll(kind, flags, styleOf(process.stdout, process.env)));
    });
  presets
    .command('show')
    .description('one preset, every figure with its kind and source')
    .argument('<name>', 'name or alias of a preset')
    .addHelpText('before', examples('slipway presets show llama3-405b', 'slipway presets show h100-sxm-80 --json'))
    .option('--json', 'print one JSON document')
    .action(async (name, flags) => {
      const { show } = await import('./presets.js');
      finish(show(name, flags, styleOf(process.stdout, process.env)));
    });
}

function addSchema(program: Command, finish: Finish): void {
  program
    .command('schema')
    .description('the JSON Schema of the run file')
    .addHelpText('before', examples('slipway schema > run.schema.json', 'slipway schema | jq .properties.strategy'))
    .action(async () => {
      const { runSchema } = await import('./schema.js');
      finish(runSchema());
    });
}
