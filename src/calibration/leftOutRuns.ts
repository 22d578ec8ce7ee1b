import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { validationFolder } from './shippedRuns.js';

/** What `npm run fit -- --leave-out` found for one shipped run with constants fitted without its family. */
export interface LeftOutPrediction {
  readonly stepSeconds: number;
  /** The counterpart of the counter that the source read. */
  readonly peakBytes: number;
  readonly fits: boolean;
}

const fileSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** How it was made. */
  source: z.string(),
  columns: z.tuple([z.literal('stepSeconds'), z.literal('peakBytes'), z.literal('fits')]),
  runs: z.record(z.string(), z.tuple([z.number().positive(), z.number().positive(), z.boolean()])),
});

/** By id of the run; empty where the package was built without the file. */
export function loadLeftOut(): ReadonlyMap<string, LeftOutPrediction> {
  const file = join(validationFolder(), fileName);
  if (!existsSync(file)) return new Map();
  const { runs } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return new Map(
    Object.entries(runs).map(([id, [stepSeconds, peakBytes, fits]]) => [id, { stepSeconds, peakBytes, fits }]),
  );
}

/** Its text, one run a line; figures to five digits, which is more than any of them is worth. */
export function leftOutText(predictions: ReadonlyMap<string, LeftOutPrediction>): string {
  const rows = [...predictions].map(([id, { stepSeconds, peakBytes, fits }]) => {
    const figures = [Number(stepSeconds.toPrecision(5)), Number(peakBytes.toPrecision(5)), fits];
    return `    ${JSON.stringify(id)}: ${JSON.stringify(figures)}`;
  });
  const source = 'npm run fit -- --leave-out: each run predicted with constants fitted without the runs of its family';
  const columns = ['stepSeconds', 'peakBytes', 'fits'];
  return `{\n  "schemaVersion": 1,\n  "source": ${JSON.stringify(source)},\n  "columns": ${JSON.stringify(columns)},\n  "runs": {\n${rows.join(',\n')}\n  }\n}\n`;
}

const fileName = 'left-out.json';
