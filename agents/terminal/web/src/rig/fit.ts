/** A calibration's line and points, for drawing them. */

import type { Calibration } from "./types";

export interface Weighed {
  /** In milliseconds. */
  open: number;
  /** What one opening gave, in microliters. */
  each: number;
  /** How far that is off the line, in microliters. */
  off: number;
  pulses: number;
  grams: number;
}

/** A point that is off the line by more than this share of its volume should be weighed again. */
export const FAR = 0.05;

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3, min: 6e4, h: 3.6e6 };

/** Milliseconds, of a time as a pilot writes it: `20 ms`. */
export function milliseconds(text: string): number {
  const [number, unit = "ms"] = text.trim().split(/\s+/);
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}

/** What was weighed, in the order of the openings. */
export function points({ calibration }: Calibration): Weighed[] {
  const all = calibration.points.map((point) => ({
    open: milliseconds(point.open),
    each: (point.grams * 1e3) / calibration.density / point.pulses,
    off: point.residual_microliters,
    pulses: point.pulses,
    grams: point.grams,
  }));
  return all.sort((one, other) => one.open - other.open);
}

/** What the line gives for an opening of so many milliseconds, in microliters. */
export function volume({ calibration: { fit } }: Calibration, open: number): number {
  return fit.offset_microliters + (fit.microliters_per_second * open) / 1e3;
}

/** Round numbers from 0 up to `most`, four or five of them. */
export function ticks(most: number): number[] {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const count = Math.floor(most / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}
