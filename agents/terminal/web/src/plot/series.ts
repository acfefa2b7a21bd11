/** From trials to what is drawn: pure functions of a task's plots. */

import type { Column, Plot, Row, Value } from "../api/types";
import { type Interval, wilson } from "./wilson";

/** A value as a height: a choice by its place among the names, a boolean as 0 or 1. */
export function height(value: Value | undefined, column: Column | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const place = names(column).indexOf(value);
  return place < 0 ? null : place;
}

/** The names that a column's heights stand for; none where they are numbers. */
export function names(column: Column | undefined): string[] {
  if (!column) return [];
  return column.type === "boolean" ? ["false", "true"] : column.choices;
}

/** A name that a height of a plot stands for. */
export interface Tick {
  name: string;
  at: number;
}

/**
 * What the heights of columns that are drawn together stand for; none where one of them is of numbers. A name
 * that several columns have is one height; columns that have none in common are one above the other.
 */
export function ticks(columns: (Column | undefined)[]): Tick[] {
  const lists = columns.map(names);
  if (lists.some((list) => list.length === 0)) return [];
  const found: Tick[] = [];
  for (const list of lists) {
    const known = new Set(found.map(({ name }) => name));
    const apart = found.length > 0 && !list.some((name) => known.has(name));
    let next = (found.at(-1)?.at ?? -1) + (apart ? 1.5 : 1);
    for (const name of list) if (!known.has(name)) found.push({ name, at: next++ });
  }
  return found;
}

/** A column's heights, one a trial: those of `ticks`, where there are some. */
export function heights(
  rows: Row[],
  name: string,
  column: Column | undefined,
  ticks: Tick[] = [],
): (number | null)[] {
  if (ticks.length === 0) return rows.map((row) => height(row.values[name], column));
  const at = new Map(ticks.map((tick) => [tick.name, tick.at]));
  return rows.map((row) => at.get(String(row.values[name])) ?? null);
}

/** Whether a value is the one that counts; for a boolean column without `of`, whether it is true. */
export function counts(value: Value | undefined, of: string | null): boolean | null {
  if (value === null || value === undefined) return null;
  if (of === null) return value === true;
  return String(value) === of;
}

/**
 * The mean of a column over the last `window` trials, or the share of `of`: one a trial, null until a trial
 * has a value. Trials in which the column was not written don't count.
 */
export function rolling(rows: Row[], plot: Plot, column: Column | undefined): (number | null)[] {
  const name = plot.columns[0] ?? "";
  const window = plot.window ?? 20;
  const share = plot.of !== null || column?.type === "boolean";
  const recent: number[] = [];
  let sum = 0;
  return rows.map((row) => {
    const value = row.values[name];
    const number = share ? Number(counts(value, plot.of) ?? Number.NaN) : height(value, column);
    if (number !== null && !Number.isNaN(number)) {
      recent.push(number);
      sum += number;
      if (recent.length > window) sum -= recent.shift() ?? 0;
    }
    return recent.length > 0 ? sum / recent.length : null;
  });
}

/** Whether a rolling mean is of a share, from 0 to 1. */
export function isShare(plot: Plot, column: Column | undefined): boolean {
  return plot.kind === "rolling_mean" && (plot.of !== null || column?.type === "boolean");
}

/** From which to which trial a span goes, both included. */
export interface Span {
  from: number;
  to: number;
}

/** The stretches of trials in which the column is true, or has the value `of`. */
export function spans(rows: Row[], plot: Plot): Span[] {
  const name = plot.columns[0] ?? "";
  const found: Span[] = [];
  let open: Span | undefined;
  for (const row of rows) {
    if (counts(row.values[name], plot.of)) {
      if (open && open.to === row.trial - 1) open.to = row.trial;
      else {
        open = { from: row.trial, to: row.trial };
        found.push(open);
      }
    } else open = undefined;
  }
  return found;
}

/** One point of a psychometric curve. */
export interface Answered extends Interval {
  /** The stimulus: where several were put together, their mean. */
  stimulus: number;
  /** How often the response was the one that counts, of how many. */
  hits: number;
  count: number;
  share: number;
}

/** With more stimuli than this, near ones are put together. */
const MOST_STIMULI = 15;

/** The response whose share a curve shows: `of`, else the last choice, else that it is true. */
export function answer(plot: Plot, response: Column | undefined): string | null {
  return plot.of ?? response?.choices.at(-1) ?? null;
}

/**
 * How often the response was the one that counts, by stimulus, in the order of stimuli. Trials without
 * a stimulus or a response don't count.
 */
export function psychometric(rows: Row[], plot: Plot, columns: Column[]): Answered[] {
  const [of, response] = plot.columns;
  const [stimulus, answered] = [of, response].map((name) => columns.find((one) => one.name === name));
  const counted = answer(plot, answered);
  const seen: { at: number; hit: boolean }[] = [];
  for (const row of rows) {
    const at = height(row.values[of ?? ""], stimulus);
    const hit = counts(row.values[response ?? ""], counted);
    if (at !== null && hit !== null) seen.push({ at, hit });
  }
  seen.sort((one, other) => one.at - other.at);
  const distinct = new Set(seen.map(({ at }) => at)).size;
  const groups: { at: number; hit: boolean }[][] = [];
  const size = Math.ceil(seen.length / MOST_STIMULI);
  for (const one of seen) {
    const last = groups.at(-1);
    const joins = last && (last.at(-1)?.at === one.at || (distinct > MOST_STIMULI && last.length < size));
    if (joins) last.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => {
    const hits = group.filter(({ hit }) => hit).length;
    const count = group.length;
    const mean = group.reduce((sum, { at }) => sum + at, 0) / count;
    return { stimulus: mean, hits, count, share: hits / count, ...wilson(hits, count) };
  });
}
