import { describe, expect, test } from 'vitest';
import { timelineSvg } from '../../src/report/timelineSvg.js';
import type { SimulatedStep } from '../../src/simulation/simulate.js';
import { smallStep } from '../simulation/smallStep.js';

function simulated(strategy: object): SimulatedStep {
  return smallStep(strategy, 'small <&> "quoted"', 64);
}

/** What is not well-formed: a tag that never closes, an attribute without quotes, a bare ampersand. */
function xmlMistakes(text: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  const rest = text.replaceAll(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)\s*(\/?)>/g,
    tag,
  );
  if (/[<>]/.test(rest)) found.push(`a stray bracket: ${rest.slice(rest.search(/[<>]/)).slice(0, 40)}`);
  if (/&(?!(?:amp|lt|gt|quot);)/.test(rest)) found.push('a bare ampersand');
  if (open.length > 0) found.push(`never closed: ${open.join()}`);
  return found;

  function tag(_: string, closing: string, name: string, __: string, selfClosing: string): string {
    if (closing === '') {
      if (selfClosing === '') open.push(name);
    } else if (open.pop() !== name) found.push(`</${name}> closes something else`);
    return '';
  }
}

describe('the SVG of a step', () => {
  test('the checker sees mistakes', () => {
    expect(xmlMistakes('<svg><g></svg>')).not.toEqual([]);
    expect(xmlMistakes('<svg>a & b</svg>')).toEqual(['a bare ampersand']);
    expect(xmlMistakes('<svg width=2></svg>')).not.toEqual([]);
  });

  test.each<[string, object]>([
    ['one stage', { tensorParallel: 2 }],
    ['1F1B', { pipelineParallel: 4 }],
    ['DualPipe', { pipelineParallel: 4, pipelineSchedule: 'dualpipe', dataSharding: 'ddp' }],
    ['many stages', { pipelineParallel: 64 }],
  ])('%s: well-formed, everything inside the picture, a row per stage', (_, strategy) => {
    const step = simulated(strategy);
    const svg = timelineSvg(step);
    expect(xmlMistakes(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.match(/>stage \d+</g)).toHaveLength(step.order.ranks.length);
    const [, width = '', height = ''] = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    for (const [, x, y, w, h] of svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)) {
      expect(Number(x) + Number(w)).toBeLessThanOrEqual(Number(width));
      expect(Number(y) + Number(h)).toBeLessThanOrEqual(Number(height));
    }
  });

  test('names passes where they fit, and only what is there in the legend', () => {
    const svg = timelineSvg(simulated({ pipelineParallel: 4, globalBatchSize: 64 }));
    expect(svg).toContain('>F0<');
    expect(svg).toContain('>B3<');
    expect(svg).toContain('forward (F)');
    expect(svg).not.toContain('weight gradient');
  });

  test('a part of the step shows only that part', () => {
    const step = simulated({ pipelineParallel: 4 });
    const half = step.makespanSeconds / 2;
    const part = timelineSvg(step, { fromSeconds: half, toSeconds: step.makespanSeconds });
    expect(xmlMistakes(part)).toEqual([]);
    expect(part).not.toContain('>F0<');
    expect(part.length).toBeLessThan(timelineSvg(step).length);
  });

  test('a step of many tasks stays a picture that opens', () => {
    const step = simulated({ pipelineParallel: 16, globalBatchSize: 8192 });
    expect(step.graph.size).toBeGreaterThan(60_000);
    const svg = timelineSvg(step);
    expect(xmlMistakes(svg)).toEqual([]);
    expect(svg.length).toBeLessThan(4e6);
  });

  test('a window within a pass shows its kernels and their traffic, every lane named, moments told apart', () => {
    const step = simulated({ pipelineParallel: 4, tensorParallel: 2 });
    const [fromSeconds, toSeconds] = [0.5 * step.makespanSeconds, 0.502 * step.makespanSeconds];
    const svg = timelineSvg(step, { fromSeconds, toSeconds });
    expect(xmlMistakes(svg)).toEqual([]);
    expect(svg).toContain('>kernels<');
    expect(svg).toContain('>tensor<');
    expect(svg).toMatch(/>(mlp up|mlp down|attention)</);
    const moments = [...svg.matchAll(/text-anchor="middle">([\d.]+ m?s)</g)].map(([, text]) => text);
    expect(new Set(moments).size).toBe(moments.length);
    expect(timelineSvg(step)).not.toContain('>kernels<');
  });
});
