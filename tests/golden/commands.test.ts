import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Ran, slipway, temporaryFile } from '../cli/slipway.js';
import { rounded } from './rounded.js';

/** Whole outputs of plan, compare, whatif and merge, which only change on purpose. `npm run freeze` writes them anew. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'slipway-golden-'));

const eight = 'examples/llama3-8b-fsdp.yaml';
const small = ['--model', 'llama3-8b', '--cluster', 'dgx-h100', '--gbs', '64', '--precision', 'bf16'];
const priced = ['--tokens', '20B', '--dollars-per-accelerator-hour', '2.5 $/h'];
const varied = ['--vary', 'accelerators=8..64*2', '--vary', 'microBatchSize=1,2,3'];

/** Standard output without what depends on the machine and on how the search went about it. */
function output(words: readonly string[], status = 0): string {
  const ran: Ran = slipway(words);
  expect([ran.status, ran.stderr]).toEqual([status, '']);
  return stable(ran.stdout);
}

function stable(text: string): string {
  return text
    .replaceAll(root, '<root>/')
    .replaceAll(folder, '<folder>')
    .replaceAll(process.execPath, '<node>')
    .replace(/^ {2}"(searched|evaluated|simulated|feasible|seconds)": [\d.e+-]+,$/gm, '  "$1": 0,')
    .replace(/^[\d.,]+[MBT]? legal candidates[\s\S]*$/m, '(how much was searched)\n')
    .replace(/"rejectedByReason": \{[^}]*\}/, '"rejectedByReason": {}');
}

test.each<[string, readonly string[], number]>([
  ['plan', ['plan', ...small, '--top', '3', '--why-not', 'tp=4', '--why-not', 'tp=3'], 0],
  ['plan-deadline', ['plan', ...small, ...priced, '--deadline', '1 day', '--top', '2'], 0],
  ['plan-condition', ['plan', ...small, '--where', 'mfu > 0.9'], 1],
  [
    'plan-too-large',
    ['plan', '--model', 'llama3-70b', ...small.slice(2), '--fix', 'dataSharding=zero-1,offload=none'],
    1,
  ],
  ['compare', ['compare', eight, temporaryFile('all.yaml', allWeights())], 0],
  ['compare-measured', ['compare', eight, '--measured', '9.9s'], 0],
  ['whatif', ['whatif', eight, ...varied], 0],
  ['whatif-plan', ['whatif', ...small, '--vary', 'accelerator.memoryBytes=4GiB,80GiB', '--plan'], 0],
  ['whatif-sensitivity', ['whatif', eight, '--sensitivity', '20'], 0],
])('%s', async (name, words, status) => {
  const text = output(words, status);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  await expect(text).toMatchFileSnapshot(`${name}.txt`);
});

/** The example with its weights gathered once a step. */
function allWeights(): string {
  return readFileSync(join(root, eight), 'utf8').replace('recompute: selective', 'recompute: none');
}

test.each<[string, readonly string[]]>([
  ['plan', ['plan', ...small, '--top', '1', '--json']],
  ['compare', ['compare', eight, temporaryFile('all.yaml', allWeights()), '--json']],
  ['compare-measured', ['compare', eight, '--measured', '9.9s', '--json']],
  ['whatif', ['whatif', eight, ...varied, '--json']],
  ['whatif-sensitivity', ['whatif', eight, '--sensitivity', '20', '--json']],
])('%s as JSON', async (name, words) => {
  await expect(rounded(output(words))).toMatchFileSnapshot(`${name}.json`);
});

test('files of a sweep, and its shards merged', async () => {
  const file = (name: string): string => join(folder, name);
  output(['whatif', eight, ...varied, '--csv', file('a.csv'), '--jsonl', file('a.jsonl'), '--svg', file('a.svg')]);
  for (const name of ['csv', 'jsonl', 'svg']) {
    await expect(rounded(readFileSync(file(`a.${name}`), 'utf8'))).toMatchFileSnapshot(`whatif.${name}`);
  }
  output(['whatif', eight, '--sensitivity', '20', '--svg', file('tornado.svg')]);
  await expect(rounded(readFileSync(file('tornado.svg'), 'utf8'))).toMatchFileSnapshot('whatif-sensitivity.svg');
  for (const shard of ['1/2', '2/2'])
    output(['whatif', eight, ...varied, '--shard', shard, '--jsonl', file('{shard}.jsonl')]);
  await expect(output(['merge', file('2-of-2.jsonl'), file('1-of-2.jsonl')])).toMatchFileSnapshot('merge.txt');
});

test('a Slurm script and a Kubernetes manifest', async () => {
  const run = join(folder, 'run.yaml');
  writeFileSync(run, readFileSync(join(root, eight)));
  const sweep = ['whatif', run, ...varied, '--shards', '4'];
  const slurm = ['--engine', 'slurm', '--dry-run', '--sbatch', '--partition=cpu', '--jsonl', join(folder, 'all.jsonl')];
  await expect(output([...sweep, ...slurm])).toMatchFileSnapshot('whatif-slurm.txt');
  const kubernetes = ['--engine', 'kubernetes', '--image', 'registry.example/slipway:1'];
  await expect(output([...sweep, ...kubernetes])).toMatchFileSnapshot('whatif-kubernetes.yaml');
});
