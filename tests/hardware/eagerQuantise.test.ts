import { expect, test } from 'vitest';
import { gemmSeconds, gemmTimer } from '../../src/hardware/kernels/gemm.js';
import { loadAccelerator } from '../../src/scenario/loadHardware.js';

test('casts to fp8 in operations of their own pass over both operands, 11.5 x 2 bytes an element', () => {
  const h100 = loadAccelerator('h100-sxm-80');
  const fused = gemmTimer(h100, 'fp8', 1);
  const eager = gemmTimer(h100, 'fp8', 1, false, 11.5);
  const [m, n, k] = [8192, 14336, 4096];
  const moved = 2 * (11.5 * (m * k + k * n) - fused.quantiseTraffic * m * k);
  const added = gemmSeconds(eager, m, n, k, 2) - gemmSeconds(fused, m, n, k, 2);
  expect(added).toBeCloseTo(moved / eager.bytesPerSecond, 9);
  expect(gemmTimer(h100, 'bf16', 1, false, 11.5)).toEqual(gemmTimer(h100, 'bf16', 1));
});
