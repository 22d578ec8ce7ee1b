/** Generated from validation/*.jsonl by `npm run freeze`; a test holds the two together. */

/** The published runs on one accelerator that slipway was checked against, and how many of each sort. */
export interface ValidatedRange {
  readonly runs: number;
  readonly mostAccelerators: number;
  readonly longestSequence: number;
  readonly frameworks: Readonly<Record<string, number>>;
  readonly precisions: Readonly<Record<string, number>>;
  readonly models: Readonly<Record<string, number>>;
}

export const validatedRanges: Readonly<Record<string, ValidatedRange>> = {
  'a100-sxm-40': {
    runs: 9,
    mostAccelerators: 1024,
    longestSequence: 2048,
    frameworks: { megatron: 9 },
    precisions: { fp16: 9 },
    models: { dense: 9 },
  },
  'a100-sxm-80': {
    runs: 970,
    mostAccelerators: 3360,
    longestSequence: 65536,
    frameworks: { deepspeed: 2, fsdp: 30, megatron: 938 },
    precisions: { bf16: 360, fp16: 610 },
    models: { dense: 970 },
  },
  'b200-sxm-180': {
    runs: 27,
    mostAccelerators: 256,
    longestSequence: 262144,
    frameworks: { deepspeed: 3, megatron: 23, xla: 1 },
    precisions: { bf16: 22, fp8: 1, mxfp8: 4 },
    models: { dense: 16, mixture: 11 },
  },
  'b300-sxm-288': {
    runs: 9,
    mostAccelerators: 64,
    longestSequence: 4096,
    frameworks: { megatron: 9 },
    precisions: { bf16: 3, mxfp8: 6 },
    models: { mixture: 9 },
  },
  'gb200-186': {
    runs: 29,
    mostAccelerators: 256,
    longestSequence: 8192,
    frameworks: { megatron: 29 },
    precisions: { bf16: 2, fp8: 9, mxfp8: 9, nvfp4: 9 },
    models: { dense: 29 },
  },
  'gb300-288': {
    runs: 45,
    mostAccelerators: 256,
    longestSequence: 8192,
    frameworks: { megatron: 45 },
    precisions: { fp8: 9, mxfp8: 28, nvfp4: 8 },
    models: { dense: 26, mixture: 19 },
  },
  'h100-96-meta': {
    runs: 4,
    mostAccelerators: 8,
    longestSequence: 262144,
    frameworks: { fsdp: 4 },
    precisions: { fp8: 4 },
    models: { dense: 4 },
  },
  'h100-sxm-80': {
    runs: 65,
    mostAccelerators: 1024,
    longestSequence: 32768,
    frameworks: { fsdp: 44, megatron: 21 },
    precisions: { bf16: 48, fp8: 17 },
    models: { dense: 51, mixture: 14 },
  },
  'h200-sxm-141': {
    runs: 6,
    mostAccelerators: 8,
    longestSequence: 262144,
    frameworks: { deepspeed: 6 },
    precisions: { bf16: 6 },
    models: { dense: 6 },
  },
  mi355x: {
    runs: 5,
    mostAccelerators: 8,
    longestSequence: 8192,
    frameworks: { fsdp: 5 },
    precisions: { bf16: 3, fp8: 2 },
    models: { dense: 5 },
  },
  'tpu-v4': {
    runs: 4,
    mostAccelerators: 512,
    longestSequence: 2048,
    frameworks: { xla: 4 },
    precisions: { bf16: 4 },
    models: { dense: 4 },
  },
  'tpu-v5e': {
    runs: 12,
    mostAccelerators: 8192,
    longestSequence: 2048,
    frameworks: { xla: 12 },
    precisions: { bf16: 12 },
    models: { dense: 12 },
  },
  'tpu-v5p': {
    runs: 4,
    mostAccelerators: 4096,
    longestSequence: 2048,
    frameworks: { xla: 4 },
    precisions: { bf16: 4 },
    models: { dense: 4 },
  },
  'v100-sxm3-32': {
    runs: 7,
    mostAccelerators: 8,
    longestSequence: 1024,
    frameworks: { megatron: 7 },
    precisions: { fp16: 7 },
    models: { dense: 7 },
  },
};
