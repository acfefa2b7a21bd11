/** A plot in words. */

import type { Plot } from "../api/types";

/** As in `outcome: share of correct over 20 trials`. */
export function said(plot: Plot): string {
  const [first = "", second = ""] = plot.columns;
  switch (plot.kind) {
    case "rolling_mean":
      return `${first}: ${plot.of === null ? "mean" : `share of ${plot.of}`} over ${plot.window ?? 20} trials`;
    case "psychometric":
      return `${second}${plot.of === null ? "" : ` ${plot.of}`} by ${first}`;
    case "spans":
      return plot.of === null ? first : `${first} ${plot.of}`;
    default:
      return plot.columns.join(" and ");
  }
}
