/** The last digits of a double differ between machines (Math.exp and friends), and mean nothing. */
export function rounded(json: string): string {
  return json.replaceAll(/-?\d+\.\d+(e[+-]?\d+)?/g, (number) => String(Number(Number(number).toPrecision(6))));
}
