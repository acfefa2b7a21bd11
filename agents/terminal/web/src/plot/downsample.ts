/** A stream of samples, thinned for the screen: what stuck out still does. */

/**
 * The least and the greatest sample of each of `buckets` equal stretches of time between `from` and `to`, in
 * the order of time. With fewer samples than two a bucket they are as they were.
 */
export function downsample(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  from: number,
  to: number,
  buckets: number,
): [number[], number[]] {
  const first = search(times, from);
  const last = search(times, to);
  const [outTimes, outValues]: [number[], number[]] = [[], []];
  const take = (place: number) => {
    outTimes.push(times[place] as number);
    outValues.push(values[place] as number);
  };
  if (last - first <= 2 * buckets) {
    for (let place = first; place < last; place += 1) take(place);
    return [outTimes, outValues];
  }
  let place = first;
  for (let bucket = 1; bucket <= buckets; bucket += 1) {
    const end = bucket === buckets ? to : from + ((to - from) * bucket) / buckets;
    let [least, most] = [place, place];
    const begin = place;
    for (; place < last && (times[place] as number) < end; place += 1) {
      if ((values[place] as number) < (values[least] as number)) least = place;
      if ((values[place] as number) > (values[most] as number)) most = place;
    }
    if (place === begin) continue;
    take(Math.min(least, most));
    if (least !== most) take(Math.max(least, most));
  }
  return [outTimes, outValues];
}

/** The place of the first time that isn't before `time`. */
export function search(times: ArrayLike<number>, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
