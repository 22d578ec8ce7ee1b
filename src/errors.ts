/** What kind of mistake a `SlipwayError` reports; stable, for scripts. */
export type ErrorCode =
  | 'unreadable-file'
  | 'invalid-syntax'
  | 'invalid-run-file'
  | 'invalid-preset'
  | 'unknown-preset'
  | 'invalid-quantity'
  | 'invalid-degrees'
  | 'unsupported';

/** Where the mistake is and what would be right; everything optional because a library caller has no file. */
export interface ErrorPlace {
  /** Path of the file as the user gave it, or `-` for standard input. */
  readonly file?: string;
  /** Line in that file, counted from 1. */
  readonly line?: number;
  /** Dotted key path, such as `strategy.tensorParallel`. */
  readonly key?: string;
  /** The nearest valid value or the way out, as a phrase. */
  readonly suggestion?: string;
}

/** An error of the caller: bad scenario, unknown preset, unreadable file. One line; never a bug of ours. */
export class SlipwayError extends Error {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(message);
    this.name = 'SlipwayError';
    this.code = code;
    this.place = place;
  }
}

/** One reason why a candidate plan cannot run: a value, because a search meets many of them. */
export interface Infeasibility {
  readonly code: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly message: string;
}

/** Crashes on a bug of ours; never use it for bad input. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}
