/** How sure a share is. */

/** An interval that holds the true share with 95 % confidence. */
export interface Interval {
  low: number;
  high: number;
}

/** The 97.5th percentile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Wilson's score interval of `hits` among `count` (E. B. Wilson, 1927, JASA 22:209): it keeps within
 * 0 and 1, and is honest for few trials and for shares near the ends.
 */
export function wilson(hits: number, count: number): Interval {
  if (count <= 0) return { low: 0, high: 1 };
  const share = hits / count;
  const zz = (Z * Z) / count;
  const middle = (share + zz / 2) / (1 + zz);
  const half = (Z / (1 + zz)) * Math.sqrt((share * (1 - share)) / count + zz / (4 * count));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
