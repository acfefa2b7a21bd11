/** How late pilots and their links are, as the API says it. */

/** One bar: how many took up to so many nanoseconds; the last has no end. */
export interface Bar {
  up_to: number;
  count: number;
}

export interface Delays {
  count: number;
  bars: Bar[];
  /** In nanoseconds. */
  p50: number;
  p99: number;
  p99_9: number;
  worst: number;
}

export interface PilotTiming {
  pilot: string;
  here: boolean;
  round_trip: Delays | null;
  reaction: { session: string; delays: Delays } | null;
}

export interface LinkResult {
  pilot: string;
  round_trip: Delays;
  /** In bytes a second. */
  to_terminal: number;
  to_pilot: number;
  lost: number;
}

export interface LinkReport {
  apart: LinkResult[];
  together: LinkResult[];
}

/** How high each bar is drawn, from 0 to 1: by the logarithm, so that one late output among thousands is seen. */
export function heights(bars: Bar[]): number[] {
  const most = Math.log1p(Math.max(1, ...bars.map((bar) => bar.count)));
  return bars.map((bar) => Math.log1p(bar.count) / most);
}
