import type { PlanRow } from '../../../src/cli/tui/work/search.js';
import { smallRun } from './driver.js';

/** A plan as a search would hand it over, with made-up figures. */
export function planRow(own: Partial<PlanRow>): PlanRow {
  return {
    run: smallRun,
    label: 'tp2 pp4 dp4 mb1 zero-1 bf16',
    tensorParallel: 2,
    contextParallel: 1,
    pipelineParallel: 4,
    virtualStages: 1,
    expertParallel: 1,
    dataParallel: 4,
    microBatchSize: 1,
    schedule: '1f1b',
    dataSharding: 'zero-1',
    recompute: 'none',
    deviceBytes: 4e10,
    capacityBytes: 8e10,
    stepSeconds: 1,
    stepInterval: [0.9, 1.2],
    tokensPerSecond: 1e6,
    mfu: 0.4,
    mfuInterval: [0.33, 0.44],
    probabilityOfNotFitting: 0.03,
    outsideValidatedRange: false,
    onFront: false,
    ...own,
  };
}
