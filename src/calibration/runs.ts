import { z } from 'zod';
import { SlipwayError } from '../errors.js';

/** Which counter a published peak was read from: PyTorch's allocator, its reservation, the driver, or not said. */
export const memoryKinds = ['allocated', 'reserved', 'nvidia-smi', 'unstated'] as const;
export type MemoryKind = (typeof memoryKinds)[number];

const measuredSchema = z
  .strictObject({
    stepSeconds: z.number().positive().optional(),
    /** Published as such, or derived from tokens/s or TFLOP/s. */
    stepSecondsFrom: z.string().optional(),
    peakMemoryBytes: z.number().positive().optional(),
    memoryKind: z.enum(memoryKinds).optional(),
    outOfMemory: z.boolean().optional(),
  })
  .refine(
    ({ stepSeconds, peakMemoryBytes, outOfMemory }) => (stepSeconds ?? peakMemoryBytes ?? outOfMemory) !== undefined,
    { error: 'holds no measurement; give stepSeconds, peakMemoryBytes or outOfMemory' },
  );

const rowSchema = z.object({
  id: z.string().min(1).optional(),
  family: z.string().min(1).default('own'),
  source: z.string().optional(),
  /** A run file, resolved by scenario/: here only its outline is known. */
  run: z.record(z.string(), z.unknown()),
  /** The source's own words on recomputation, sharding, overlap, where they say more than the run file. */
  stated: z.record(z.string(), z.unknown()).default({}),
  /** Strategy fields that the source does not give, so that the framework's default has to be assumed. */
  unknown: z.array(z.string()).default([]),
  measured: measuredSchema,
  /** Arithmetic that does not close in the source; such a row is not scored. */
  problems: z.array(z.string()).default([]),
});

/** One run that somebody measured: a line of a validation file. */
export interface MeasuredRun extends Omit<z.output<typeof rowSchema>, 'id'> {
  readonly id: string;
}

/** Reads JSON lines. A mistake names the file and the line; blank lines are skipped. */
export function parseRuns(text: string, file: string): MeasuredRun[] {
  const runs: MeasuredRun[] = [];
  const lineOfId = new Map<string, number>();
  for (const [index, content] of text.split('\n').entries()) {
    if (content.trim() === '') continue;
    const line = index + 1;
    const run = parseRow(content, file, line);
    const earlier = lineOfId.get(run.id);
    if (earlier !== undefined) {
      const message = `id ${shortened(run.id)} is already on line ${earlier}; ids name rows in the report`;
      throw new SlipwayError('invalid-run-file', message, { file, line, key: 'id' });
    }
    lineOfId.set(run.id, line);
    runs.push(run);
  }
  if (runs.length === 0) {
    throw new SlipwayError('invalid-run-file', 'holds no runs; each line is one JSON object', { file });
  }
  return runs;
}

function parseRow(content: string, file: string, line: number): MeasuredRun {
  const parsed = rowSchema.safeParse(parseJson(content, file, line));
  if (parsed.success) return { ...parsed.data, id: parsed.data.id ?? `line-${line}` };
  const issue = parsed.error.issues[0];
  const key = (issue?.path ?? []).join('.');
  throw new SlipwayError('invalid-run-file', issue?.message ?? 'is not a row of measurements', {
    file,
    line,
    ...(key === '' ? {} : { key }),
  });
}

function parseJson(content: string, file: string, line: number): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    // V8 repeats the text in its message; a garbage file must still give one short line.
    const cause = error instanceof Error ? shortened(error.message) : 'unreadable';
    throw new SlipwayError('invalid-syntax', `is not one JSON object per line: ${cause}`, { file, line });
  }
}

function shortened(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]+/g, ' ');
  return printable.length <= 80 ? printable : `${printable.slice(0, 77)}...`;
}
