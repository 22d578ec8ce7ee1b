import { type StreamName, streamNames } from '../simulation/engine/taskGraph.js';
import { type InnerTask, innerTasks } from '../simulation/innerTasks.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import type { RankSpans } from './timelineSpans.js';

/** What one stream does inside the passes of a stage. */
export interface InnerLane {
  readonly stream: StreamName;
  readonly label: string;
  readonly tasks: readonly InnerTask[];
}

const labels: Readonly<Record<StreamName, string>> = {
  compute: 'kernels',
  tensor: 'tensor',
  pieces: 'pieces',
  context: 'context',
  expert: 'expert',
  send: 'send',
  data: 'data',
  host: 'host',
};

/** A picture of at most so many passes in a row shows what is inside them. */
const mostPasses = 2.5;

/** Lanes of every stage inside its passes, for windows that are short enough to see them; none for longer ones. */
export function insidePasses(
  step: Pick<SimulatedStep, 'graph' | 'timeline' | 'tasks' | 'chunks'>,
  ranks: readonly RankSpans[],
  fromSeconds: number,
  toSeconds: number,
): InnerLane[][] {
  let longest = 0;
  for (const { compute } of ranks)
    for (const { kind, startSeconds, endSeconds } of compute)
      if (kind !== 'optimizer' && endSeconds > fromSeconds && startSeconds < toSeconds)
        longest = Math.max(longest, endSeconds - startSeconds);
  if (toSeconds - fromSeconds > mostPasses * longest) return ranks.map(() => []);
  const tasks = innerTasks(step, fromSeconds, toSeconds).filter(
    ({ startSeconds, endSeconds }) => endSeconds > fromSeconds && startSeconds < toSeconds && endSeconds > startSeconds,
  );
  return ranks.map((_, rank) => {
    const own = tasks.filter((task) => task.rank === rank);
    return streamNames.flatMap((stream) => {
      const lane = own.filter((task) => task.stream === stream);
      return lane.length === 0 ? [] : [{ stream, label: labels[stream], tasks: lane }];
    });
  });
}

/** `feedForwardUp weights again` in short words. */
export function inWords(name: string): string {
  const short = name.replace('feedForward', 'mlp').replace('queryKeyValue', 'qkv');
  return short.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
