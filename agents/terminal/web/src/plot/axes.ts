/** Axes as every plot of the page has them. */

import type uPlot from "uplot";
import type { Column } from "../api/types";
import { micro } from "../words/units";
import { color } from "./paint";
import type { Tick } from "./series";

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

/** An axis whose heights stand for names. */
export function named(label: string, ticks: Tick[]): uPlot.Axis {
  const longest = Math.max(0, ...ticks.map(({ name }) => name.length));
  return axis(label, {
    splits: () => ticks.map(({ at }) => at),
    values: () => ticks.map(({ name }) => name),
    size: Math.max(34, longest * 6.6 + 12),
    grid: { stroke: color("line"), width: 1 },
  });
}

/** The numbers of trials: there is no half a trial. */
export function trials(): uPlot.Axis {
  return axis("trial", {
    size: 26,
    incrs: [1, 2, 5]
      .flatMap((one) => [one, one * 10, one * 100, one * 1000, one * 10_000])
      .sort((one, other) => one - other),
  });
}

/** As wide as the numbers of an axis are. */
export const fitted: uPlot.Axis.Size = (_, values) =>
  Math.max(34, 12 + 6.8 * Math.max(0, ...(values ?? []).map((value) => value?.length ?? 0)));

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
