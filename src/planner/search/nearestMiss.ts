import type { NearestMiss } from './request.js';
import type { Space } from './space.js';

export function findNearestMiss(_space: Space): NearestMiss | null {
  return null;
}
