import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How `slipway` is run in the README's console blocks: program and first arguments. */
export type Runner = readonly string[];

/**
 * The README with every console block holding what its command prints now, and every block under `<!-- file: x -->`
 * holding that file. `skip` names commands whose block stays as it is.
 */
export function refreshed(readme: string, root: string, runner: Runner, skip: (command: string) => boolean): string {
  return readme
    .replaceAll(/```console\n\$ (.*)\n[\s\S]*?```/g, (block, command: string) =>
      skip(command) ? block : `\`\`\`console\n$ ${command}\n${printed(command, root, runner)}\`\`\``,
    )
    .replaceAll(
      /<!-- file: (\S+) -->\n```(\w+)\n[\s\S]*?```/g,
      (_, file: string, language: string) =>
        `<!-- file: ${file} -->\n\`\`\`${language}\n${asPublished(readFileSync(join(root, file), 'utf8'))}\`\`\``,
    );
}

function printed(command: string, root: string, runner: Runner): string {
  const words = runner.map((word) => `'${word}'`).join(' ');
  const { FORCE_COLOR: _, ...environment } = process.env;
  const { stdout, stderr, status } = spawnSync('sh', ['-c', `slipway() { ${words} "$@"; }\n${command}`], {
    cwd: root,
    encoding: 'utf8',
    env: { ...environment, NO_COLOR: '1' },
  });
  if (stderr !== '' || stdout === '') throw new Error(`\`${command}\` exits ${status}: ${stderr}`);
  return stdout.endsWith('\n') ? stdout : `${stdout}\n`;
}

/** Examples import the sources; a user imports the package. */
function asPublished(code: string): string {
  return code.replaceAll("'../src/index.js'", "'slipway'");
}
