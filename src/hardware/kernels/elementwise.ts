import type { Accelerator } from '../accelerator.js';

/** Streaming kernels: `bytes / achieved bandwidth + launch` each. */
export interface StreamTimer {
  readonly bytesPerSecond: number;
  /** Device time from one kernel to the next when work is queued. */
  readonly launchSeconds: number;
}

/** Gap between two queued kernels on the device (about 2 us on NVIDIA parts; hardware data, `kernel_launch`). */
const queuedKernelSeconds = 2e-6;

export function streamTimer(accelerator: Accelerator, timeFactor: number): StreamTimer {
  return {
    bytesPerSecond: (accelerator.memoryBytesPerSecond * accelerator.memoryEfficiency) / timeFactor,
    launchSeconds: queuedKernelSeconds,
  };
}

export function streamSeconds(t: StreamTimer, bytes: number, kernels: number): number {
  return bytes / t.bytesPerSecond + kernels * t.launchSeconds;
}
