import type { Chunk, Stage } from '../parallelism/stages.js';

/** What pieces of work that hold the same have in common, as a number. */
export function workKey(work: Stage): number {
  return (work.denseLayers * 65536 + work.moeLayers) * 4 + (work.hasEmbedding ? 2 : 0) + (work.hasHead ? 1 : 0);
}

/**
 * Chunks by kind: a pipeline of 64 stages has three or four kinds, so that sums over chunks are sums over kinds, times how many there are. Depends
 * on the layout alone, which thousands of candidates of a search have in common.
 */
export interface ChunkKinds {
  /** One chunk of each kind, the first. */
  readonly examples: readonly Chunk[];
  /** By chunk. */
  readonly kindOf: readonly number[];
  /** By rank and kind, rank x kinds + kind: its chunks; and by chunk and kind: the chunks before it, with one row more for all. */
  readonly onRank: readonly number[];
  readonly before: readonly number[];
  /** By rank: messages of one micro-batch that its chunks send to other ranks, both ways. */
  readonly sends: readonly number[];
  /** The first and the last rank of each run of ranks that hold the same. */
  readonly runEnds: readonly number[];
}

export function chunkKinds(chunks: readonly Chunk[], ranks: number): ChunkKinds {
  const kinds = new Map<number, number>();
  const examples: Chunk[] = [];
  const kindOf = chunks.map((chunk) => {
    const key = workKey(chunk);
    const kind = kinds.get(key) ?? examples.length;
    if (kind === examples.length) {
      kinds.set(key, kind);
      examples.push(chunk);
    }
    return kind;
  });
  const width = examples.length;
  const onRank = new Array<number>(ranks * width).fill(0);
  const before = new Array<number>((chunks.length + 1) * width).fill(0);
  const sends = new Array<number>(ranks).fill(0);
  chunks.forEach(({ stage }, chunk) => {
    const kind = kindOf[chunk] ?? 0;
    onRank[stage * width + kind] = (onRank[stage * width + kind] ?? 0) + 1;
    for (let k = 0; k < width; k++) {
      before[(chunk + 1) * width + k] = (before[chunk * width + k] ?? 0) + (k === kind ? 1 : 0);
    }
    // A message goes to a neighbour where there is one, and on another rank.
    for (const neighbour of [chunks[chunk - 1], chunks[chunk + 1]]) {
      if (neighbour !== undefined && neighbour.stage !== stage) sends[stage] = (sends[stage] ?? 0) + 1;
    }
  });
  return { examples, kindOf, onRank, before, sends, runEnds: runEnds(onRank, width, sends) };
}

function runEnds(onRank: readonly number[], width: number, sends: readonly number[]): readonly number[] {
  const isLike = (rank: number, other: number): boolean => {
    if (sends[rank] !== sends[other]) return false;
    for (let k = 0; k < width; k++) if (onRank[rank * width + k] !== onRank[other * width + k]) return false;
    return true;
  };
  const last = sends.length - 1;
  return [...sends.keys()].filter(
    (rank) => rank === 0 || rank === last || !isLike(rank, rank - 1) || !isLike(rank, rank + 1),
  );
}
