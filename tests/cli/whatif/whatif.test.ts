import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { slipway } from '../slipway.js';

const run = `model: llama3-8b
cluster: dgx-h100
accelerators: 64
strategy: { tensorParallel: 2, pipelineParallel: 2, globalBatchSize: 128 }
sequenceLength: 4096
training: { tokens: 1T }
`;

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'slipway-whatif-'));
}

function whatif(flags: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof slipway> {
  return slipway(['whatif', '-', ...flags], { input: run, env });
}

function complaint(flags: readonly string[]): string {
  const { status, stdout, stderr } = whatif(flags);
  expect(stdout).toBe('');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^slipway: [^\n]+\n$/);
  return stderr.trim();
}

const small = ['--vary', 'tensorParallel=1..8*2', '--vary', 'microBatchSize=1,2,3', '--closed-form'];

describe('slipway whatif', () => {
  test('answers for people in 80 columns: rows, reasons of illegal points, a chart', () => {
    const { status, stdout, stderr } = whatif(small);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/^12 points over tp x mbs: 8 fit, 0 do not fit, 4 cannot be run\n/);
    expect(stdout).toMatch(/^ +1 +3 +- +microBatchSize 3 x dataParallel 32 = 96 does not divide glo/m);
    expect(stdout).toMatch(/^days over tp$/m);
  });

  test('the same rows in every format', async () => {
    const out = folder();
    const names = ['a.jsonl', 'a.csv', 'a.parquet', 'a.svg'].map((name) => join(out, name));
    const [jsonl = '', csv = '', parquet = '', svg = ''] = names;
    const { status, stdout } = whatif([
      ...small,
      '--json',
      '--jsonl',
      jsonl,
      '--csv',
      csv,
      '--parquet',
      parquet,
      '--svg',
      svg,
    ]);
    expect(status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['a.csv', 'a.jsonl', 'a.parquet', 'a.svg']);
    const document = JSON.parse(stdout) as { schemaVersion: number; rows: Record<string, unknown>[]; counts: unknown };
    expect(Object.keys(document)[0]).toBe('schemaVersion');
    expect(document.counts).toEqual({ fits: 8, 'does-not-fit': 0, illegal: 4 });
    const lines = readFileSync(jsonl, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(document.rows);
    const [header = '', first = ''] = readFileSync(csv, 'utf8').split('\n');
    expect(header.split(',').slice(0, 5)).toEqual(['id', 'tensorParallel', 'microBatchSize', 'status', 'reason']);
    expect(first.split(',')[0]).toBe(document.rows[0]?.id);
    const bytes = readFileSync(parquet);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    expect(await parquetReadObjects({ file })).toEqual(document.rows);
    expect(parquetMetadata(file).key_value_metadata?.map(({ key }) => key)).toContain('slipway.sweep');
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  test('is not worked out again where its files hold all of it, and is where anything differs', () => {
    const out = folder();
    const file = (name: string): string => join(out, name);
    const to = ['--jsonl', file('a.jsonl'), '--csv', file('a.csv'), '--parquet', file('a.parquet')];
    whatif([...small, ...to]);
    const before = readFileSync(file('a.jsonl'), 'utf8');
    const written = (): number => statSync(file('a.jsonl')).mtimeMs;
    const first = written();
    expect(whatif([...small, ...to]).stdout).toMatch(/^these 12 points are done: .*a\.csv, .*a\.jsonl, .*a\.parquet; /);
    expect(written()).toBe(first);
    // Other figures, other values, a file cut short: another question, or no answer.
    expect(whatif([...small, ...to, '--figures', 'mfu']).stdout).toMatch(/^12 points over/);
    whatif([...small, ...to]);
    expect(readFileSync(file('a.jsonl'), 'utf8')).toBe(before);
    truncateSync(file('a.jsonl'), before.length - 300);
    expect(whatif([...small, ...to]).stdout).toMatch(/^12 points over/);
    expect(readFileSync(file('a.jsonl'), 'utf8')).toBe(before);
    expect(whatif([...small.with(1, 'tensorParallel=1,4,2,8'), ...to]).stdout).toMatch(/^12 points over/);
  });

  test('exit 1 where no point fits', () => {
    const { status, stdout } = whatif(['--vary', 'cluster.accelerator.memoryBytes=1 GiB,2 GiB']);
    expect(stdout).toMatch(/2 do not fit/);
    expect(status).toBe(1);
  });

  test('--sensitivity: a tornado, also as JSON', () => {
    const { status, stdout } = whatif(['--sensitivity', '20', '--json', '--metric', 'step.seconds']);
    expect(status).toBe(0);
    const { figures, value, fraction } = JSON.parse(stdout) as {
      value: number;
      fraction: number;
      figures: { key: string; swing: number; low: { value: number }; high: { value: number; change: number } }[];
    };
    expect(fraction).toBe(0.2);
    const swings = figures.map(({ swing }) => swing);
    expect(swings).toEqual([...swings].sort((a, b) => b - a));
    const peak = figures.find(({ key }) => key === 'cluster.accelerator.peakFlopsPerSecond');
    expect(peak?.low.value).toBeGreaterThan(value);
    expect(peak?.high.change).toBeCloseTo((peak?.high.value ?? 0) / value - 1, 12);
    const text = whatif(['--sensitivity']).stdout;
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toMatch(/Figures 10 % lower and higher\n {2}(tokens|peak)/);
  });
});

describe('bad input is one line, exit 2', () => {
  test.each<[readonly string[], RegExp]>([
    [[], /--vary: nothing is varied; give for example/],
    [['--vary', 'tensorParalel=2'], /--vary: unknown key 'tensorParalel', did you mean tensorParallel\?/],
    [['--vary', 'gbs=accelerators.constructor'], /is no formula: only numbers, names/],
    [['--vary', 'gbs=accelerators; import'], /is no formula/],
    [['--vary', 'tp=2', '--metric', 'mfuu'], /--metric: no figure is called 'mfuu', did you mean mfu\?/],
    [['--vary', 'tp=2', '--shard', '5/4'], /shard 5 of 4/],
    [['--vary', 'tp=2', '--jsonl', '/nonexistent/x.jsonl'], /cannot be written: no such folder/],
    [['--vary', 'tp=2', '--csv', 'x', '--jsonl', 'x'], /two outputs would go to the same file/],
    [['--sensitivity', '0'], /'0' is not a percentage/],
    [['--vary', 'tp=2', '--engine', 'kubernetes'], /needs --image/],
  ])('%j', (flags, expected) => {
    expect(complaint(flags)).toMatch(expected);
  });
});

describe('shards', () => {
  const axes = ['--vary', 'tensorParallel=1,2,4', '--vary', 'globalBatchSize=64..640+64', '--closed-form'];

  test('four of them, also by scheduler, merge into the bytes of one run', { timeout: 240_000 }, () => {
    const out = folder();
    const path = (name: string): string => join(out, name);
    whatif([...axes, '--jsonl', path('one.jsonl'), '--csv', path('one.csv'), '--parquet', path('one.parquet')]);
    const shard = ['--jsonl', path('shard-{shard}.jsonl')];
    whatif([...axes, ...shard, '--shard', '1/4']);
    whatif([...axes, ...shard, '--shard', '2/4']);
    whatif([...axes, ...shard], { SLURM_ARRAY_TASK_ID: '12', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '10' });
    whatif([...axes, ...shard, '--shards', '4'], { JOB_COMPLETION_INDEX: '3' });
    const shards = [1, 2, 3, 4].map((index) => path(`shard-${index}-of-4.jsonl`));
    const merged = ['--jsonl', path('all.jsonl'), '--csv', path('all.csv'), '--parquet', path('all.parquet')];
    const { status, stderr } = slipway(['merge', ...shards.toReversed(), ...merged]);
    expect([status, stderr]).toEqual([0, '']);
    for (const kind of ['jsonl', 'csv', 'parquet']) {
      expect(readFileSync(path(`all.${kind}`)).equals(readFileSync(path(`one.${kind}`)))).toBe(true);
    }
    // A shard that is whole is not worked out again.
    const before = statSync(shards[0] ?? '').mtimeMs;
    expect(whatif([...axes, ...shard, '--shard', '1/4']).stdout).toMatch(/^shard 1 of 4 is done: /);
    expect(statSync(shards[0] ?? '').mtimeMs).toBe(before);

    const refusal = (...files: readonly string[]): string => {
      const ran = slipway(['merge', ...files]);
      expect(ran.status).toBe(2);
      return ran.stderr.replaceAll(`${out}/`, '');
    };
    const [first = '', second = '', third = '', fourth = ''] = shards;
    expect(refusal(first, second)).toBe('slipway: of 4 shards, 2 are missing: 3, 4\n');
    expect(refusal(first, second, third, first)).toMatch(/is shard 1 of 4, like shard-1-of-4\.jsonl/);
    writeFileSync(path('twice.jsonl'), readFileSync(second, 'utf8').replace(/(\n[^\n]+)(\n[^\n]+)/, '$1$1'));
    expect(refusal(first, path('twice.jsonl'), third, fourth)).toMatch(
      /twice\.jsonl: holds the point \w+ where point 6 /,
    );
    truncateSync(fourth, statSync(fourth).size - 5);
    expect(refusal(...shards)).toMatch(/ends before point 28 of the sweep: it is not whole/);
    whatif(['--vary', 'tensorParallel=1,2', '--closed-form', '--shard', '4/4', '--jsonl', fourth]);
    expect(refusal(...shards)).toMatch(/shard-4-of-4\.jsonl: is a shard of another sweep than shard-1-of-4\.jsonl/);
  });
});

describe('engines', () => {
  test('--dry-run prints the batch script and submits nothing', () => {
    const out = folder();
    const file = join(out, 'run.yaml');
    writeFileSync(file, run);
    const { status, stdout } = slipway([
      'whatif',
      file,
      '--vary',
      'tp=1,2,4',
      '--engine',
      'slurm',
      '--dry-run',
      '--shards',
      '8',
      '--sbatch',
      '--partition=cpu',
      '--jsonl',
      join(out, 'all.jsonl'),
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^#!\/bin\/bash\n#SBATCH --job-name=slipway-whatif\n#SBATCH --array=0-2\n/);
    expect(stdout).toContain('#SBATCH --partition=cpu\n');
    expect(stdout).toMatch(
      /exec .* whatif .*run\.json --vary tp=1,2,4 .*--shards 3 .*--jsonl '.*\/shard-\{shard\}\.jsonl'\n$/,
    );
    expect(readdirSync(out)).toEqual(['run.yaml']);
  });

  test('Kubernetes gets an Indexed Job with the run file in it', async () => {
    const { parseAllDocuments } = await import('yaml');
    const { stdout } = whatif([
      '--vary',
      'tp=1,2,4,8',
      '--engine',
      'kubernetes',
      '--image',
      'registry/slipway:1',
      '--shards',
      '2',
    ]);
    const [configMap, job] = parseAllDocuments(stdout).map((document) => document.toJS() as Record<string, never>);
    expect(configMap).toMatchObject({ kind: 'ConfigMap' });
    expect(
      JSON.parse(String((configMap as unknown as { data: Record<string, string> }).data['run.json'])),
    ).toMatchObject({ model: 'llama3-8b' });
    expect(job).toMatchObject({ kind: 'Job', spec: { completionMode: 'Indexed', completions: 2 } });
    expect(JSON.stringify(job)).toContain('"--shards","2"');
  });
});

describe('a killed sweep', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));

  /** Runs until `bytes` have been written beside the output, then kills it without warning. False where it ended before. */
  function killedAt(words: readonly string[], partial: string, bytes: number): Promise<boolean> {
    return new Promise((resolve) => {
      // No loader process in between: the signal has to reach the one that writes.
      const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...words], {
        cwd: root,
        stdio: 'ignore',
      });
      const watch = setInterval(() => {
        if (existsSync(partial) && statSync(partial).size >= bytes) child.kill('SIGKILL');
      }, 2);
      child.on('exit', (_code, signal) => {
        clearInterval(watch);
        resolve(signal === 'SIGKILL');
      });
    });
  }

  test('goes on where it was: no point is lost, repeated or other than without the kill', {
    timeout: 240_000,
  }, async () => {
    const out = folder();
    const file = join(out, 'run.yaml');
    writeFileSync(file, run);
    const axes = [
      '--vary',
      'cluster.accelerator.hbmBytesPerSecond*=1..3+0.001',
      '--vary',
      'microBatchSize=1,2,3,4',
      '--vary',
      'recompute=none,full',
    ];
    const words = (name: string): string[] => [
      'whatif',
      file,
      ...axes,
      '--closed-form',
      '--workers',
      '1',
      '--jsonl',
      join(out, `${name}.jsonl`),
      '--parquet',
      join(out, `${name}.parquet`),
    ];
    expect(slipway(words('whole')).status).toBe(0);
    const whole = readFileSync(join(out, 'whole.jsonl'));
    const partial = join(out, 'cut.jsonl.partial');
    let kills = 0;
    // The journal of 16,008 rows has some four megabytes; these places are where blocks end and between them.
    for (const bytes of [1, 700_000, 1_500_001, 2_900_000]) {
      if (!(await killedAt(words('cut'), partial, bytes))) break;
      kills += 1;
      expect(existsSync(join(out, 'cut.jsonl'))).toBe(false);
      // A kill in the middle of a write leaves half a line; make sure of one.
      if (kills === 2) truncateSync(partial, statSync(partial).size - 7);
    }
    expect(kills).toBeGreaterThanOrEqual(3);
    expect(slipway(words('cut')).status).toBe(0);
    expect(readFileSync(join(out, 'cut.jsonl')).equals(whole)).toBe(true);
    expect(readFileSync(join(out, 'cut.parquet')).equals(readFileSync(join(out, 'whole.parquet')))).toBe(true);
    expect(existsSync(partial)).toBe(false);
    const ids = whole
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids).size).toBe(2001 * 8);
  });

  test('Ctrl-C leaves what is done, says so, and the same command goes on from there', {
    timeout: 240_000,
  }, async () => {
    const out = folder();
    const file = join(out, 'run.yaml');
    writeFileSync(file, run);
    const axes = ['--vary', 'cluster.accelerator.hbmBytesPerSecond*=1..3+0.0005', '--vary', 'microBatchSize=1,2,3,4'];
    const words = (name: string): string[] => [
      ...['whatif', file, ...axes, '--closed-form', '--workers', '1', '--csv', join(out, name)],
    ];
    const partial = join(out, 'cut.csv.partial');
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...words('cut.csv')], {
      cwd: root,
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const watch = setInterval(() => {
      if (!existsSync(partial) || statSync(partial).size < 200_000) return;
      clearInterval(watch);
      // Once: a second one would end the process at once.
      child.kill('SIGINT');
    }, 2);
    const status = await new Promise((resolve) => child.on('close', resolve));
    clearInterval(watch);
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /stopped at [\d,]+ of 16,004 points; the same command goes on from there \(.*cut\.csv\.partial\)\n$/,
    );
    expect(existsSync(join(out, 'cut.csv'))).toBe(false);
    expect(slipway(words('cut.csv')).status).toBe(0);
    expect(slipway(words('whole.csv')).status).toBe(0);
    expect(readFileSync(join(out, 'cut.csv')).equals(readFileSync(join(out, 'whole.csv')))).toBe(true);
  });

  test('is not mixed with another one', () => {
    const out = folder();
    const file = join(out, 'a.jsonl');
    writeFileSync(`${file}.partial`, '{"sweep":"0123456789abcdef","shard":"","points":3}\n["x"]\n');
    expect(complaint(['--vary', 'tp=1,2,4', '--jsonl', file])).toMatch(
      /a\.jsonl\.partial: holds the first rows of another sweep/,
    );
  });
});
