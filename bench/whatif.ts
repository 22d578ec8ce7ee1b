/**
 * A million closed-form points to Parquet with the built command, as a user runs it: wall-clock time, CPU time of all threads, largest
 * resident memory, and the rows that a reader finds in the file.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';

const secondsAllowed = 60;
const megabytesAllowed = 500;

const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
const file = join(folder, 'million.parquet');
const axes = [
  'cluster.accelerator.hbmBytesPerSecond*=1..5.999+0.001',
  'microBatchSize=1,2,4,8',
  'recompute=none,full',
  'cluster.accelerator.memoryBytes=80 GiB,96 GiB,128 GiB,192 GiB,288 GiB',
  'tensorParallel=2,4,8,16,32',
];
const words = [
  'examples/llama3-405b.yaml',
  ...axes.flatMap((axis) => ['--vary', axis]),
  '--closed-form',
  '--parquet',
  file,
];
// The child's own figures: what `time -v` would say, without needing it.
const report = `process.on('exit', () => { const u = process.resourceUsage(); process.stderr.write('\\nUSAGE ' + JSON.stringify([u.userCPUTime + u.systemCPUTime, u.maxRSS]) + '\\n'); });`;
const started = performance.now();
const child = spawnSync(
  process.execPath,
  ['--import', `data:text/javascript,${encodeURIComponent(report)}`, 'dist/bin/slipway.js', 'whatif', ...words],
  {
    encoding: 'utf8',
  },
);
const seconds = (performance.now() - started) / 1000;
const [, usage = ''] = /USAGE (.*)/.exec(child.stderr) ?? [];
if (child.status !== 0 || usage === '') throw new Error(`whatif exits ${child.status}: ${child.stderr.slice(-500)}`);
const [cpuMicroseconds = 0, kibibytes = 0] = JSON.parse(usage) as number[];
const megabytes = (kibibytes * 1024) / 1e6;

console.log('whatif: a million closed-form points to Parquet, all cores');
console.log(`  ${rows().toLocaleString('en')} rows, ${(statSync(file).size / 1e6).toFixed(0)} MB`);
console.log(`  ${seconds.toFixed(1)} s (allowed: ${secondsAllowed}), ${(cpuMicroseconds / 1e6).toFixed(0)} s of CPU`);
console.log(`  ${megabytes.toFixed(0)} MB resident at most (allowed: ${megabytesAllowed})`);
if (seconds > secondsAllowed || megabytes > megabytesAllowed) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });

function rows(): number {
  const bytes = readFileSync(file);
  const metadata = parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Number(metadata.num_rows);
}
