/** `tsx tools/readme.ts`: puts today's real output of the built command into README.md. One block needs jq. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { refreshed } from './readmeBlocks.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = `${root}README.md`;
writeFileSync(
  file,
  refreshed(readFileSync(file, 'utf8'), root, [process.execPath, 'dist/bin/slipway.js'], () => false),
);
