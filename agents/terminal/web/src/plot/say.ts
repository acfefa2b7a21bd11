/** A plot in words. */

import type { Column, Plot, Row, Value } from "../api/types";
import { micro } from "../words/units";

/** A number as a person reads it: a whole one whole, another to four digits. */
export function trimmed(number: number): string {
  return Number.isInteger(number) ? String(number) : Number(number.toPrecision(4)).toString();
}

/** What each column had in a trial, as in `trial 12: target left, response right`. */
export function trial(row: Row, columns: (Column | undefined)[]): string {
  const said = columns.map((column) => {
    const value = column && row.values[column.name];
    if (value === null || value === undefined) return `${column?.name ?? ""} –`;
    return `${column?.name} ${quantity(value, column?.unit ?? "")}`;
  });
  return `trial ${row.trial}: ${said.join(", ")}`;
}

/** A value with its unit. */
export function quantity(value: NonNullable<Value>, unit: string): string {
  if (typeof value !== "number") return String(value);
  return micro(`${trimmed(value)}${unit && ` ${unit}`}`);
}

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
