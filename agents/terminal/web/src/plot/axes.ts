/** Axes as every plot of the page has them. */

import type uPlot from "uplot";
import type { Column } from "../api/types";
import { micro } from "../words/units";
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

/** From none to all, with a little room. */
export const SHARES: [number, number] = [-0.03, 1.03];

/** An axis of shares, as percentages. */
export function shares(label: string): uPlot.Axis {
  return axis(label, {
    splits: () => [0, 0.25, 0.5, 0.75, 1],
    values: (_, all) => all.map((one) => `${one * 100} %`),
    size: 44,
  });
}

/** A column's unit as it stands behind its name; nothing where it has none. */
export function unit(column: Column | undefined): string {
  return column?.unit ? ` (${micro(column.unit)})` : "";
}
