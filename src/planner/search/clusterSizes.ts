import type { Scenario } from '../../scenario/scenario.js';

/** Where neither the run file nor the cluster says how many accelerators there are. */
const MOST = 65_536;

/**
 * Sizes of the cluster to choose from: whole nodes, four sizes between one power of two and the next, up to what the run file gives or the
 * cluster is known with. A batch of B sequences cannot be spread over more than B replicas, which the search itself respects.
 */
export function clusterSizes({ accelerators, cluster, defaultsFilledIn }: Scenario): readonly number[] {
  const given = !defaultsFilledIn.some(({ key }) => key === 'accelerators');
  const most = given ? accelerators : cluster.maxAccelerators || MOST;
  const node = Math.min(cluster.acceleratorsPerNode, most);
  const sizes = new Set<number>();
  for (let octave = 1; octave * node <= most; octave *= 2) {
    for (const quarter of [4, 5, 6, 7]) {
      const nodes = (octave * quarter) / 4;
      if (Number.isInteger(nodes) && nodes * node <= most) sizes.add(nodes * node);
    }
  }
  sizes.add(most);
  return [...sizes].sort((a, b) => a - b);
}
