/**
 * Accelerator-hours between interruptions that stop a synchronous job, hardware, network and software together:
 * 419 unexpected interruptions in 54 days on 16,384 H100 are 50,700 (Llama 3, 2024, table 5); Meta's research clusters
 * saw 29,500 and 82,000 (Kokolis et al. 2024, arXiv 2410.21680).
 */
export const ACCELERATOR_HOURS_PER_FAILURE = 50_000;
/** Detect, replace, reload: 5 min on small jobs, 10 at 16k (MegaScale, 2024: diagnosis < 10 min, catch-up < 15). */
export const RESTART_SECONDS = 600;
/** fp32 master weights, both Adam moments and bf16 weights: BLOOM's 2.3 TB and Megatron's 13.8 TB per 1T parameters. */
export const CHECKPOINT_BYTES_PER_PARAMETER = 14;
/** An asynchronous checkpoint still stops the step while states are copied to the host: 1 to 6 s (PyTorch DCP, 2024). */
export const CHECKPOINT_PAUSE_SECONDS = 5;

export interface Reliability {
  readonly secondsBetweenFailures: number;
  /** What one checkpoint costs the training. */
  readonly checkpointSeconds: number;
  /** Time between checkpoints that loses least. */
  readonly checkpointIntervalSeconds: number;
  /** Useful time over wall-clock time. */
  readonly goodput: number;
}

/**
 * Goodput under random failures. With C the cost of a checkpoint, M the mean time between failures and R the restart,
 * the best interval is sqrt(2 C M) (Young 1974, Daly 2006); a step is then slowed by 1 + C / interval, and each failure
 * costs R and half an interval of lost work. Valid while the interval is well below M.
 */
export function reliability(accelerators: number, parameters: number, hostBytesPerSecond: number): Reliability {
  const secondsBetweenFailures = (ACCELERATOR_HOURS_PER_FAILURE * 3600) / accelerators;
  const bytes = (CHECKPOINT_BYTES_PER_PARAMETER * parameters) / accelerators;
  const checkpointSeconds = CHECKPOINT_PAUSE_SECONDS + (hostBytesPerSecond > 0 ? bytes / hostBytesPerSecond : 0);
  const checkpointIntervalSeconds = Math.sqrt(2 * checkpointSeconds * secondsBetweenFailures);
  const lostPerFailure = RESTART_SECONDS + checkpointIntervalSeconds / 2;
  const goodput =
    (1 / (1 + checkpointSeconds / checkpointIntervalSeconds)) *
    (secondsBetweenFailures / (secondsBetweenFailures + lostPerFailure));
  return { secondsBetweenFailures, checkpointSeconds, checkpointIntervalSeconds, goodput };
}
