import type { PipelineOrder } from '../../parallelism/pipeline/order.js';
import { hidesExchange } from '../layerSeconds.js';
import type { Prepared } from '../prepare.js';

/**
 * By rank and place in its order: 1 where a pass has no pass of another micro-batch beside it that hides its token exchange. That is so in fill
 * and drain: forward passes before a rank's first backward pass and backward passes after its last forward pass, or in DualPipe all that the
 * order does not join. Undefined where nothing hides exchanges.
 */
export function alonePasses(p: Prepared, order: PipelineOrder): readonly Uint8Array[] | undefined {
  if (!hidesExchange(p)) return undefined;
  const joins = p.strategy.pipelineSchedule === 'dualpipe';
  return order.ranks.map((passes) => {
    if (joins)
      return Uint8Array.from(passes, (pass, i) => (pass.together === true || passes[i - 1]?.together === true ? 0 : 1));
    const backward = passes.findIndex(({ kind }) => kind !== 'forward');
    const firstBackward = backward < 0 ? passes.length : backward;
    const lastForward = passes.findLastIndex(({ kind }) => kind === 'forward');
    return Uint8Array.from(passes, ({ kind }, i) =>
      (kind === 'forward' ? i < firstBackward : i > lastForward) ? 1 : 0,
    );
  });
}
