import { expect, test } from 'vitest';
import { parsePipelineLayout } from '../../src/scenario/pipelineLayout.js';

function layersOf(text: string): number[] | string {
  const layout = parsePipelineLayout(text);
  return 'problem' in layout ? layout.problem : layout.map(({ layers }) => layers);
}

test('the layout of DeepSeek V3 on 16 chunks', () => {
  const layout = parsePipelineLayout('Et*4|(t*4|)*14tmL');
  if ('problem' in layout) throw new Error(layout.problem);
  expect(layout).toHaveLength(16);
  expect(layout[0]).toEqual({ embedding: true, layers: 4, multiTokenPredictionLayers: 0, loss: false });
  expect(layout[15]).toEqual({ embedding: false, layers: 1, multiTokenPredictionLayers: 1, loss: true });
  expect(layersOf('Et*4|(t*4|)*14tmL')).toEqual([...Array(15).fill(4), 1]);
});

test('repeats, groups and empty chunks', () => {
  expect(layersOf('Et|t*3|L')).toEqual([1, 3, 0]);
  expect(layersOf('E((tt|)*2t|)*2L')).toEqual([2, 2, 1, 2, 2, 1, 0]);
});

test.each(['Et*4|x', 'E|L', '(t', 't*', 't)', 't*99999999', '(((t*9999)*9999)*9999)*9999'])('%s is refused', (text) => {
  expect(typeof layersOf(text)).toBe('string');
});
