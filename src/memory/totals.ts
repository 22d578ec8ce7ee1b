import type { Framework } from '../parallelism/framework.js';

/** The three figures that people read off a run, bytes on one accelerator. */
export interface MemoryTotals {
  /** PyTorch's peak of allocated tensors. */
  readonly allocatedBytes: number;
  /** What its caching allocator has taken for them. */
  readonly reservedBytes: number;
  /** What nvidia-smi shows: context, communicators and workspaces included. */
  readonly deviceBytes: number;
}

/** `separateBytes`: freed blocks that later tensors of other sizes do not fit into (see `StageMoments`). */
export function memoryTotals(framework: Framework, peakBytes: number, separateBytes: number): MemoryTotals {
  const { contextBytes, communicatorBytes, fragmentation } = framework.memory;
  const reservedBytes = peakBytes * (1 + fragmentation) + separateBytes;
  return { allocatedBytes: peakBytes, reservedBytes, deviceBytes: reservedBytes + contextBytes + communicatorBytes };
}

/** The totals of the accelerator that reserves most; the largest allocated peak can be another one's. */
export function fullestTotals(
  framework: Framework,
  stages: readonly { readonly peakBytes: number; readonly separateBytes: number }[],
): MemoryTotals {
  let fullest = memoryTotals(framework, 0, 0);
  for (const { peakBytes, separateBytes } of stages) {
    const totals = memoryTotals(framework, peakBytes, separateBytes);
    if (totals.reservedBytes > fullest.reservedBytes) fullest = totals;
  }
  return fullest;
}
