import { z } from 'zod';
import { runFileSchema } from '../scenario/runFileSchema.js';
import type { CommandOutput } from './program.js';

/** `slipway schema`: the JSON Schema of the run file, for editors and other programs. */
export function runSchema(): CommandOutput {
  const schema = z.toJSONSchema(runFileSchema, { io: 'input' });
  return { text: `${JSON.stringify({ title: 'Slipway run file', ...schema }, null, 2)}\n`, exitCode: 0 };
}
