import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/**
 * The documents promise that what they link to is there: files, headings, and the functions that they name as
 * `` [`name`](../src/file.ts) ``. Renaming a function without its derivation fails here.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Link {
  readonly line: number;
  readonly text: string;
  readonly target: string;
}

/** Every inline link outside fenced code, images included. */
function linksOf(markdown: string): Link[] {
  const links: Link[] = [];
  let fenced = false;
  markdown.split('\n').forEach((content, index) => {
    if (/^\s*(```|~~~)/.test(content)) fenced = !fenced;
    if (fenced) return;
    for (const [, text = '', target = ''] of content.matchAll(/\[([^\]]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)) {
      links.push({ line: index + 1, text, target });
    }
  });
  return links;
}

/** GitHub's anchor of a heading: lower case, punctuation dropped, blanks to hyphens. */
function anchorsOf(markdown: string): string[] {
  return markdown
    .split('\n')
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    );
}

/** Names in backticks within a link's text, as far as they can be names of code: `gemmSeconds`, but not `src/model`. */
function quotedNames(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
}

/** Whether a source file declares the name: a function, constant, class, type, method or field, not merely uses it. */
function declares(source: string, name: string): boolean {
  const escaped = name.replace(/\$/g, '\\$');
  const declared = new RegExp(`\\b(?:function|const|let|class|interface|type|enum)\\s+${escaped}(?![\\w$])`);
  const field = new RegExp(`\\breadonly ${escaped}\\??:`);
  const method = new RegExp(`^\\s*(?:private |public |static |async )*${escaped}\\([^)]*\\).*\\{\\s*$`, 'm');
  return [declared, field, method].some((pattern) => pattern.test(source));
}

/** What is wrong with the links of one document, as lines to read. */
function brokenLinks(file: string, markdown: string): string[] {
  return linksOf(markdown).flatMap(({ line, text, target }) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
    const [path = '', anchor] = decodeURIComponent(target).split('#');
    const where = `${file}:${line}`;
    const linked = path === '' ? join(root, file) : resolve(root, dirname(file), path);
    if (!linked.startsWith(normalize(root))) return [`${where}: ${target} leaves the repository`];
    if (path !== '' && !existsSync(linked)) return [`${where}: ${target} does not exist`];
    if (path !== '' && statSync(linked).isDirectory()) return [];
    const content = path === '' ? markdown : readFileSync(linked, 'utf8');
    if (anchor !== undefined && linked.endsWith('.md') && !anchorsOf(content).includes(anchor)) {
      return [`${where}: no heading for #${anchor}`];
    }
    if (!/\.[cm]?tsx?$/.test(linked)) return [];
    return quotedNames(text)
      .filter((name) => !declares(content, name))
      .map((name) => `${where}: ${path} does not declare ${name}`);
  });
}

/** The documents that there are; README.md may be missing in a checkout that is being written. */
function documents(): string[] {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : [];
  const inDocs = docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', 'CONTRIBUTING.md', ...inDocs].filter((file) => existsSync(join(root, file)));
}

test.each(documents())('%s links to files, headings and functions that exist', (file) => {
  expect(brokenLinks(file, readFileSync(join(root, file), 'utf8'))).toEqual([]);
});

test('docs/model.md names the functions that it derives', () => {
  const named = linksOf(readFileSync(join(root, 'docs/model.md'), 'utf8')).filter(
    ({ text }) => quotedNames(text).length > 0,
  );
  expect(named.length).toBeGreaterThan(50);
});

describe('the check itself', () => {
  const check = (markdown: string): string[] => brokenLinks('docs/example.md', markdown);

  test('accepts what is there', () => {
    expect(
      check('# A heading, 2.\n[`collectiveSeconds`](../src/hardware/collectives/collective.ts) [up](#a-heading-2)'),
    ).toEqual([]);
    expect(check('[folder](../src) [site](https://example.org/x) [file](../package.json)')).toEqual([]);
    expect(check('```\n[not a link](nowhere.md)\n```')).toEqual([]);
  });

  test('finds a missing file, heading and function', () => {
    expect(check('[x](../src/nowhere.ts)')).toEqual(['docs/example.md:1: ../src/nowhere.ts does not exist']);
    expect(check('# Here\n[x](#there)')).toEqual(['docs/example.md:2: no heading for #there']);
    expect(check('[`collectiveMinutes`](../src/hardware/collectives/collective.ts)')).toEqual([
      'docs/example.md:1: ../src/hardware/collectives/collective.ts does not declare collectiveMinutes',
    ]);
    expect(check('[x](../../elsewhere.md)')).toEqual(['docs/example.md:1: ../../elsewhere.md leaves the repository']);
  });

  test('a name that is only used, not declared, does not count', () => {
    // contextTraffic imports collectiveSeconds.
    expect(check('[`collectiveSeconds`](../src/parallelism/context.ts)')).toHaveLength(1);
  });
});
