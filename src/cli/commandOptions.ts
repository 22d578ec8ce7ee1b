import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { once } from '../quantity/once.js';
import { flagName, type RunFileFlag, runFileFlags } from './flags.js';

/** What several commands say alike: the run file's keys as flags, examples in the help, repeated and numeric options. */

/** Every key of the run file as a flag; flags win over the file. Added when the command is called: five commands have them. */
export function addRunFileFlags(command: Command): void {
  const add = once(() => addFlags(command));
  command.parent?.hook('preSubcommand', (_, called) => {
    if ((called as unknown) === command) add();
  });
  command.on('beforeHelp', add);
}

function addFlags(command: Command): void {
  for (const flag of runFileFlags) {
    for (const option of optionsOf(flag)) command.addOption(option.helpGroup(groupOf(flag)));
  }
  command.addOption(
    new Option('--set <path=value>', 'any key of the run file, such as model.numLayers=48; may be repeated')
      .argParser(several)
      .helpGroup('Run file:'),
  );
}

function optionsOf(flag: RunFileFlag): readonly Option[] {
  const name = flagName(flag);
  const makers: Readonly<Record<RunFileFlag['kind'], string>> = {
    text: '<value>',
    number: '<n>',
    boolean: '[true|false]',
    choice: '<name>',
    list: '<a,b,...>',
  };
  const choices = flag.choices === undefined ? '' : ` (${flag.choices.join(', ')})`;
  const short = flag.alias === undefined ? '' : ` Also --${flag.alias}.`;
  const options = [new Option(`--${name} ${makers[flag.kind]}`, `${flag.description}${choices}${short}`)];
  if (flag.alias !== undefined) options.push(new Option(`--${flag.alias} ${makers[flag.kind]}`).hideHelp());
  if (flag.kind === 'boolean') options.push(new Option(`--no-${name}`).hideHelp());
  return options;
}

function groupOf({ key }: RunFileFlag): string {
  return key.startsWith('strategy.') ? 'Strategy:' : 'Run file:';
}

/** How MFU is counted, for every command that prints it. */
export function flopsConvention() {
  return new Option('--flops-convention <name>', 'how MFU counts model FLOPs')
    .choices(['megatron', 'palm', 'causal'] as const)
    .default('megatron' as const);
}

export function examples(...commands: readonly string[]): string {
  return `Examples:\n${commands.map((command) => `  $ ${command}`).join('\n')}\n`;
}

export function several(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

export function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number, such as 10');
}
