import type { StepLogFormat } from './stepLog.js';

/** Two columns, `step,seconds`, with or without that header. */
export const stepCsv: StepLogFormat = {
  name: 'CSV with step,seconds',
  readLine(line) {
    const cells = line.split(',').map((cell) => cell.trim());
    const [step = '', seconds = ''] = cells;
    if (cells.length !== 2 || !/^\d+$/.test(step)) return undefined;
    const value = Number(seconds);
    return seconds === '' || Number.isNaN(value)
      ? `'${seconds}' is no number of seconds`
      : { step: Number(step), seconds: value };
  },
};
