import { describe, expect, it } from 'vitest';
import { withStated } from '../../src/calibration/stated.js';

const moe = { numExperts: 128, expertsPerToken: 4 };

describe('withStated', () => {
  it('reads graphs of the router alone as none, those that hold attention as they are', () => {
    const run = { strategy: { cudaGraphs: 'layer' } };
    const scope = (names: string[]) => ({ recipe_config: { cuda_graph_scope: names } });
    expect(withStated(run, scope(['moe_router', 'moe_preprocess'])).strategy).toEqual({ cudaGraphs: 'none' });
    expect(withStated(run, scope(['attn', 'moe_router'])).strategy).toEqual({ cudaGraphs: 'layer' });
    expect(withStated(run, scope([])).strategy).toEqual({ cudaGraphs: 'layer' });
  });

  it('spreads the experts of a run with DeepEP over all its ranks where they divide and nothing else is said', () => {
    const run = { model: { moe }, accelerators: 64, frameworkVersion: 'NeMo AutoModel TE + DeepEP', strategy: {} };
    expect(withStated(run, {}).strategy).toEqual({ expertParallel: 64 });
    expect(withStated({ ...run, strategy: { expertParallel: 8 } }, {}).strategy).toEqual({ expertParallel: 8 });
    expect(withStated({ ...run, accelerators: 96 }, {}).strategy).toEqual({});
    expect(withStated({ ...run, frameworkVersion: 'NeMo AutoModel TE' }, {}).strategy).toEqual({});
  });
});
