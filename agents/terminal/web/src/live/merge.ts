/** How what comes later is put to what is there. */

import type { Bucket, Row } from "../api/types";

/** The rows with those that came: a trial is there once, as it was said last, in order. */
export function newer(known: Row[], came: Row[]): Row[] {
  const first = came[0];
  if (!first) return known;
  // Nearly always they follow.
  if ((known.at(-1)?.trial ?? 0) < first.trial) return known.concat(came);
  const all = new Map(known.map((row) => [row.trial, row]));
  for (const row of came) all.set(row.trial, row);
  return [...all.values()].sort((one, other) => one.trial - other.trial);
}

/** The buckets with those that came: one of a time that is there already takes its place. */
export function joined(known: Bucket[], came: Bucket[]): Bucket[] {
  const first = came[0];
  if (!first) return known;
  const again = known.findLastIndex((bucket) => bucket.t < first.t) + 1;
  return [...(again < known.length ? known.slice(0, again) : known), ...came];
}

/** The newest of a list that has grown, once it is a quarter too long; so it is seldom copied. */
export function within<T>(list: T[], most: number): T[] {
  return list.length > most * 1.25 ? list.slice(-most) : list;
}
