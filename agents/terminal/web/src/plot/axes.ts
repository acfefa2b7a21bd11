/** Axes as every plot of the page has them. */

import type uPlot from "uplot";
import { color } from "./paint";

const FONT = "12px system-ui, sans-serif";

/** An axis with a name, quiet lines and the page's letters. */
export function axis(label: string, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    label,
    labelSize: 18,
    labelGap: 0,
    labelFont: FONT,
    font: FONT,
    size: 34,
    gap: 4,
    stroke: color("soft"),
    grid: { stroke: color("line"), width: 1 },
    ticks: { stroke: color("line"), width: 1, size: 4 },
    ...more,
  };
}

/** An axis whose whole numbers stand for names. */
export function named(label: string, names: string[]): uPlot.Axis {
  const longest = Math.max(0, ...names.map((name) => name.length));
  return axis(label, {
    splits: () => names.map((_, place) => place),
    values: () => names,
    size: Math.max(34, longest * 6.6 + 12),
    grid: { stroke: color("line"), width: 1 },
  });
}

/** Trials, from the first to the newest and at least twenty. */
export function trials(count: number): uPlot.Scale {
  return { time: false, range: [0, Math.max(20, count + 1)] };
}
