/** What a plot over days or sessions shows, and where it has its ticks. */

const DAY = 86_400;

/** The least stretch that weighings are shown in, in seconds: a day. */
export function around(times: ArrayLike<number>): [number, number] {
  const from = times[0] ?? 0;
  const to = times[times.length - 1] ?? from;
  const room = Math.max((to - from) * 0.04, (DAY - (to - from)) / 2);
  return [from - room, to + room];
}

/** Ticks at whole numbers from the first to the last, and at no others: about as many as there is room for. */
export function ticks(first: number, last: number, most: number): number[] {
  const stride = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((one) => (last - first) / one < most) ?? 1000;
  const all: number[] = [];
  for (let at = Math.ceil(first / stride) * stride; at <= last; at += stride) all.push(at);
  return all.length > 0 ? all : [first];
}
