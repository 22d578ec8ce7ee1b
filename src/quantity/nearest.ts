/** The candidate that `word` was probably meant to be, or undefined where none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // No name is that long; comparing a file's content with every candidate would take minutes.
  if (word.length > 100) return undefined;
  const wanted = word.toLowerCase();
  // A third of the letters may be wrong; in a short word, one.
  let best = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found ?? completion(wanted, candidates);
}

/** `deepseek` has no near neighbour, but begins `deepseek-v3`: the shortest such candidate. */
function completion(wanted: string, candidates: Iterable<string>): string | undefined {
  if (wanted.length < 3) return undefined;
  let found: string | undefined;
  for (const candidate of candidates) {
    if (!candidate.toLowerCase().startsWith(wanted)) continue;
    if (found === undefined || candidate.length < found.length) found = candidate;
  }
  return found;
}

/** Damerau-Levenshtein in its optimal-alignment form: insert, delete, replace, swap neighbours, one each. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replace);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
