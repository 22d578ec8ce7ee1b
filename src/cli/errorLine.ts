import { SlipwayError } from '../errors.js';

/** `slipway: run.yaml:7: strategy.tensorParalel: unknown key, did you mean tensorParallel?` */
export function errorLine(error: unknown): string {
  if (!(error instanceof SlipwayError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return `slipway: ${oneLine(reason)} (a bug in slipway; SLIPWAY_DEBUG=1 shows where)\n`;
  }
  const { file, line, key } = error.place;
  const where =
    file === undefined ? [] : [`${file === '-' ? 'standard input' : file}${line === undefined ? '' : `:${line}`}`];
  const parts = [...where, ...(key === undefined || key === '' ? [] : [key]), error.message];
  return `slipway: ${parts.map(oneLine).join(': ')}\n`;
}

/** Control characters of a file or its name never reach the terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}
