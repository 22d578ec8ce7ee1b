import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { calibrateCollective } from '../calibration/cluster/calibrateCollective.js';
import { calibrateGemm } from '../calibration/cluster/calibrateGemm.js';
import { calibrateSteps, type LoggedSteps } from '../calibration/cluster/calibrateSteps.js';
import { calibratedFields, changedConstants } from '../calibration/cluster/profile.js';
import { steadySteps } from '../calibration/cluster/steadySteps.js';
import { SlipwayError } from '../errors.js';
import type { Cluster } from '../hardware/cluster.js';
import { clusterInputSchema } from '../hardware/clusterSchema.js';
import { readGemmCsv } from '../interop/gemmCsv.js';
import { readNcclTests } from '../interop/ncclTests.js';
import { type MeasurementProblem, readStepLog } from '../interop/stepLog.js';
import {
  type CalibratedFile,
  type CalibrationProblem,
  type CalibrationResult,
  calibrationTable,
} from '../report/calibrationTable.js';
import { toJson } from '../report/json.js';
import type { TextStyle } from '../report/text.js';
import { profileFolder } from '../scenario/clusterProfiles.js';
import { loadCluster } from '../scenario/loadHardware.js';
import { loadRun, readRunFile } from '../scenario/loadScenario.js';
import { namesOfPresets } from '../scenario/presetFiles.js';
import { readText } from '../scenario/readText.js';
import { plainFields } from '../scenario/writeOutPreset.js';
import type { CommandOutput } from './program.js';
import { writeWhole } from './writeFile.js';

export interface CalibrateFlags {
  readonly cluster?: string | undefined;
  /** `run.yaml=train.log`. */
  readonly steps?: readonly string[] | undefined;
  readonly nccl?: readonly string[] | undefined;
  readonly gemm?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly save?: string | undefined;
  readonly json?: true | undefined;
}

const logLimits = { mostBytes: 200_000_000, what: 'a log' };

/** `slipway calibrate`: exit 1 where the fitted cluster is no nearer to the measurements than the preset was. */
export async function runCalibrate(flags: CalibrateFlags, style: TextStyle): Promise<CommandOutput> {
  const steps = (flags.steps ?? []).map(pairOf);
  const files = steps.length + (flags.nccl?.length ?? 0) + (flags.gemm?.length ?? 0);
  if (files === 0) throw new SlipwayError('invalid-run-file', 'no measurements; give --steps, --nccl or --gemm');
  if (flags.name !== undefined) checkName(flags.name);
  const base = flags.cluster ?? (await clusterOfRun(steps));
  const start = loadCluster(base);
  const work: Work = { cluster: start, measurements: [], problems: [] };
  for (const file of flags.gemm ?? []) addGemm(work, file);
  for (const file of flags.nccl ?? []) addCollective(work, file);
  await addSteps(work, base, steps);
  const saved = save(flags, base, work.cluster, files);
  const result: CalibrationResult = {
    schemaVersion: 1,
    base,
    profile: flags.name ?? null,
    file: saved,
    measurements: work.measurements,
    constants: changedConstants(start, work.cluster),
    problems: work.problems,
  };
  const better = work.measurements.some(({ errorBefore, errorAfter }) => errorAfter < errorBefore);
  return { text: flags.json ? toJson(result) : calibrationTable(result, style), exitCode: better ? 0 : 1 };
}

interface Work {
  cluster: Cluster;
  readonly measurements: CalibratedFile[];
  readonly problems: CalibrationProblem[];
}

function addGemm(work: Work, file: string): void {
  const { samples, problems } = readGemmCsv(readText(file, logLimits), file);
  note(work, file, problems);
  for (const format of new Set(samples.map((sample) => sample.format))) {
    const fitted = calibrateGemm(
      work.cluster.accelerator,
      samples.filter((sample) => sample.format === format),
    );
    note(work, file, fitted.problems);
    work.cluster = { ...work.cluster, accelerator: fitted.accelerator };
    const what = `${fitted.shapes} GEMM shapes in ${format}`;
    work.measurements.push({ file, what, errorBefore: fitted.before, errorAfter: fitted.after });
  }
}

function addCollective(work: Work, file: string): void {
  const measured = readNcclTests(readText(file, logLimits), file);
  note(work, file, measured.problems);
  const fitted = calibrateCollective(work.cluster, measured);
  work.cluster = fitted.cluster;
  const { kind, ranks, nodes, samples } = measured;
  const what = `${kind} of ${samples.length} sizes over ${ranks} ranks on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
  work.measurements.push({ file, what, errorBefore: fitted.before, errorAfter: fitted.after });
}

async function addSteps(work: Work, base: string, pairs: readonly Pair[]): Promise<void> {
  const runs: (LoggedSteps & { readonly file: string; readonly what: string })[] = [];
  for (const { run, log } of pairs) {
    const { scenario } = await loadRun(readRunFile(run), [{ path: ['cluster'], value: onPlainHosts(base) }]);
    const sequencesPerStep = scenario.strategy.globalBatchSize;
    const tokensPerStep = sequencesPerStep * scenario.sequenceLength;
    const { accelerators } = scenario;
    const found = readStepLog(readText(log, logLimits), log, { sequencesPerStep, tokensPerStep, accelerators });
    note(work, log, found.problems);
    const steady = steadySteps(found.samples);
    if (steady === null) {
      const why = `holds ${found.samples.length} usable steps; three or more after the warm-up are needed`;
      throw new SlipwayError('invalid-syntax', why, { file: log });
    }
    const what = `${found.format}: ${steady.kept} steps of ${steady.seconds.toPrecision(3)} s, ${steady.warmUp} of warm-up dropped`;
    runs.push({ scenario, steps: steady, file: log, what });
  }
  if (runs.length === 0) return;
  const fitted = calibrateSteps(work.cluster, runs);
  work.cluster = fitted.cluster;
  runs.forEach(({ file, what }, index) => {
    const before = fitted.before[index] ?? 0;
    const after = fitted.after[index] ?? 0;
    work.measurements.push({ file, what, errorBefore: Math.abs(before), errorAfter: Math.abs(after) });
    if (Math.abs(after) < contradiction) return;
    const words = `is predicted ${(100 * Math.abs(after)).toFixed(0)} % too ${after > 0 ? 'slow' : 'fast'} after the fit`;
    work.problems.push({
      file,
      line: null,
      why: `${words}: it contradicts the other measurements, or the run file is not its`,
    });
  });
}

/** A run this far off after the fit is not explained by the constants of a cluster. */
const contradiction = 0.25;

function note(work: Work, file: string, problems: readonly MeasurementProblem[]): void {
  for (const { line, why } of problems) work.problems.push({ file, line, why });
}

interface Pair {
  readonly run: string;
  readonly log: string;
}

function pairOf(text: string): Pair {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { run: text.slice(0, at), log: text.slice(at + 1) };
  const message = `'${text}' is not a run file and its log; expected --steps run.yaml=train.log`;
  throw new SlipwayError('invalid-run-file', message, { key: '--steps' });
}

async function clusterOfRun([first]: readonly Pair[]): Promise<string> {
  const cluster = first === undefined ? undefined : (await loadRun(readRunFile(first.run))).run.cluster;
  if (typeof cluster === 'string') return cluster;
  throw new SlipwayError('invalid-run-file', 'which cluster was measured? give --cluster, such as dgx-h100', {
    key: '--cluster',
  });
}

/** The cluster as a run file writes it, on hosts as the framework's preset knows them: the fit has its own factor. */
function onPlainHosts(name: string): object {
  const { hostTimeFactor: _factor, jitter: _jitter, ...fields } = plainFields('clusters', name);
  return fields;
}

function checkName(name: string): void {
  const place = { key: '--name' };
  if (!/^[a-z0-9][\w.+-]{0,60}$/.test(name))
    throw new SlipwayError('invalid-run-file', `'${name}' is no name; use small letters, digits and hyphens`, place);
  if (namesOfPresets('clusters').includes(name))
    throw new SlipwayError(
      'invalid-run-file',
      `'${name}' is a preset; choose another name, such as ${name}-own`,
      place,
    );
}

/** Writes the profile; null where neither a name nor a file was given. */
function save({ name, save: path }: CalibrateFlags, base: string, cluster: Cluster, files: number): string | null {
  const file = path ?? (name === undefined ? null : join(profileFolder(), `${name}.yaml`));
  if (file === null) return null;
  const fields = calibratedFields(plainFields('clusters', base), acceleratorFields(base), cluster);
  const labelled = { ...fields, id: name ?? `${base}-own`, name: `${cluster.name || base}, calibrated` };
  // What cannot be read back is a bug, not a profile.
  clusterInputSchema.parse(labelled);
  const head = `# Made by slipway calibrate from ${base} and ${files} file${files === 1 ? '' : 's'} of measurements.\n`;
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, `${head}${stringify(labelled)}`);
  return file;
}

function acceleratorFields(base: string): Readonly<Record<string, unknown>> {
  const { accelerator } = plainFields('clusters', base);
  if (typeof accelerator === 'string') return plainFields('accelerators', accelerator);
  return Object(accelerator) as Readonly<Record<string, unknown>>;
}
