import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { checkRunFile, parseRunFile } from '../../src/scenario/parseRunFile.js';

const good = `model: llama3-405b
cluster: dgx-h100
accelerators: 16384
strategy:
  tensorParallel: 8
sequenceLength: 8192
training: { tokens: 15.6T, dollarsPerAcceleratorHour: 2 * 1.25 $/h }
`;

async function mistake(text: string): Promise<string> {
  try {
    await parseRunFile(text, 'run.yaml');
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const { file, line, key } = error.place;
    return [file, line, key, error.message].filter((part) => part !== undefined).join(':');
  }
  throw new Error('the run file was accepted');
}

test('YAML and JSON give the same run', async () => {
  const run = await parseRunFile(good);
  expect(run.training).toEqual({ tokens: 15.6e12, dollarsPerAcceleratorHour: 2.5 });
  expect(run.strategy).toEqual({ tensorParallel: 8 });
  expect(await parseRunFile(JSON.stringify(run), 'run.json')).toEqual(run);
});

test('without a parser of expressions a calculated quantity is a mistake of one line, in unions too', () => {
  const accelerator = {
    name: 'x',
    memoryBytes: '2 * 40 GB',
    memoryBytesPerSecond: 1e12,
    peakFlopsPerSecond: { bf16: 1e15 },
  };
  for (const run of [
    { model: 'llama3-8b', cluster: 'dgx-h100', training: { tokens: '2 * 1T' } },
    {
      model: 'llama3-8b',
      cluster: { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8, hostMemoryBytes: '2 * 256 GB' },
    },
    { model: 'llama3-8b', cluster: { accelerator, acceleratorsPerNode: 8 } },
  ]) {
    expect(() => checkRunFile(run)).toThrow(SlipwayError);
    expect(() => checkRunFile(run)).toThrow(/a quantity is calculated, such as .*, which needs parseRunFile/);
  }
  const plain = {
    model: 'llama3-8b',
    cluster: { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8, hostMemoryBytes: '256 GB' },
  };
  expect(checkRunFile(plain)).toMatchObject({ cluster: { hostMemoryBytes: 256e9 } });
});

describe('mistakes name file, line, key and the way out', () => {
  test.each([
    [
      'tensorParallel: 8',
      'tensorParalel: 8',
      'run.yaml:5:strategy.tensorParalel:unknown key, did you mean tensorParallel?',
    ],
    [
      'sequenceLength: 8192',
      'sequenceLenght: 8192',
      'run.yaml:6:sequenceLenght:unknown key, did you mean sequenceLength?',
    ],
    ['tensorParallel: 8', 'tensorParallel: -8', 'run.yaml:5:strategy.tensorParallel:must be at least 1, found -8'],
    ['tensorParallel: 8', 'tensorParallel: 0', 'run.yaml:5:strategy.tensorParallel:must be at least 1, found 0'],
    [
      'tensorParallel: 8',
      'tensorParallel: 2.5',
      'run.yaml:5:strategy.tensorParallel:expected a whole number, found 2.5',
    ],
    [
      'tensorParallel: 8',
      'tensorParallel: eight',
      "run.yaml:5:strategy.tensorParallel:expected a number, found 'eight'",
    ],
    ['tensorParallel: 8', 'precision: bf61', "run.yaml:5:strategy.precision:'bf61' is not known, did you mean bf16?"],
    ['tensorParallel: 8', 'recompute: yes', "run.yaml:5:strategy.recompute:'yes' is not one of none, selective, full"],
    ['sequenceLength: 8192', 'sequenceLength: 0', 'run.yaml:6:sequenceLength:must be at least 1, found 0'],
    ['cluster: dgx-h100\n', '', 'run.yaml:cluster:missing; a preset or an inline cluster'],
    [
      '15.6T',
      '80 GHz',
      "run.yaml:7:training.tokens:'80 GHz' is not a count, such as 2048, 300B or 15.6T; did you mean 80?",
    ],
    ['15.6T', '[1]', 'run.yaml:7:training.tokens:expected a count, such as 2048, 300B or 15.6T, found [1]'],
    [
      '2 * 1.25 $/h',
      '2 * 3 GB',
      "run.yaml:7:training.dollarsPerAcceleratorHour:'2 * 3 GB' is not US dollars per hour, such as 2.5 $/h: there is no unit GB",
    ],
    [
      'model: llama3-405b',
      'model: { numLayers: 2, hidenSize: 3 }',
      'run.yaml:1:model.hidenSize:unknown key, did you mean hiddenSize?',
    ],
    [
      'model: llama3-405b',
      'model: 3',
      'run.yaml:1:model:expected a preset, a path to a Hugging Face config.json, or an inline architecture, found 3',
    ],
    ['tensorParallel: 8', 'tensorParallel: .nan', 'run.yaml:5:strategy.tensorParallel:expected a number, found NaN'],
    [
      'tensorParallel: 8',
      'tensorParallel:',
      'run.yaml:5:strategy.tensorParallel:expected a number, found nothing (a key left out has its default)',
    ],
    [
      'tensorParallel: 8',
      'tensorParallel: "16"',
      "run.yaml:5:strategy.tensorParallel:expected a number, found '16'; did you mean 16?",
    ],
    [
      'tensorParallel: 8',
      'recomputeModules: [mpl]',
      "run.yaml:5:strategy.recomputeModules.0:'mpl' is no module; did you mean mlp?",
    ],
    [
      'tensorParallel: 8',
      'pipelineLayout: t|Et',
      "run.yaml:5:strategy.pipelineLayout:'t|Et' has an embedding (E) beyond the one of the first chunk",
    ],
    [
      '2 * 1.25 $/h',
      '1e308',
      'run.yaml:7:training.dollarsPerAcceleratorHour:1e+308 is too large; expected US dollars per hour, such as 2.5 $/h',
    ],
    [
      'cluster: dgx-h100',
      'cluster: { accelerator: h100-sxm-80, acceleratorsPerNode: -8 }',
      'run.yaml:2:cluster.acceleratorsPerNode:must be more than 0, found -8',
    ],
    [
      'cluster: dgx-h100',
      'cluster: { accelerator: h100-sxm-80, acceleratorsPerNode: 8, hostMemoryBytes: 80 GHz }',
      "run.yaml:2:cluster.hostMemoryBytes:'80 GHz' is not bytes, such as 80 GB or 80 GiB; did you mean 80 GB?",
    ],
  ])('%s as %s', async (from, to, expected) => {
    expect(await mistake(good.replace(from, to))).toBe(expected);
  });

  test('YAML syntax', async () => {
    expect(await mistake('model: [1, 2\ncluster: x\n')).toMatch(/^run\.yaml:\d+:not valid YAML: /);
    expect(await mistake('a: 1\nb: *c\n')).toBe('run.yaml:2:not valid YAML: there is no anchor &c before *c');
    expect(await mistake(`a: ${'['.repeat(9000)}`)).toMatch(/not valid YAML: nested too deeply$/);
    expect(await mistake('model: a\n---\nmodel: b\n')).toBe(
      'run.yaml:2:not valid YAML: more than one document in the file; give one run',
    );
    expect(await mistake('model: a\nmodel: b\n')).toBe('run.yaml:2:not valid YAML: Map keys must be unique');
  });

  test('a text that is no run file at all', async () => {
    expect(await mistake('')).toBe('run.yaml:the file is empty; it needs at least model and cluster');
    expect(await mistake('# only a comment\n')).toBe('run.yaml:the file is empty; it needs at least model and cluster');
    expect(await mistake('just words')).toMatch(/^run\.yaml:1:not a run file/);
    expect(await mistake('- a\n- b\n')).toMatch(/^run\.yaml:1:not a run file/);
    expect(await mistake('\0\u0001binary')).toBe('run.yaml:a binary file, not a run file in YAML or JSON');
    expect(await mistake('x'.repeat(10_000_000))).toBe('run.yaml:too large for a run file (at most 1 MB)');
  });

  test('a bomb of aliases', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`,
    );
    expect(await mistake(`a0: &a0 [x, x, x]\n${levels.join('\n')}\n`)).toMatch(/^run\.yaml:not valid YAML: /);
  });
});
