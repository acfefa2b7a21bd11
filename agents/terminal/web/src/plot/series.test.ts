import { describe, expect, it } from "vitest";
import type { Column, Plot, Row, Value } from "../api/types";
import { heights, names, psychometric, rolling, spans, ticks } from "./series";

const column = (type: string, choices: string[] = []): Column => ({
  name: "c",
  type,
  unit: "",
  carried: false,
  doc: "",
  choices,
});

const plot = (
  kind: Plot["kind"],
  columns: string[],
  of: string | null = null,
  window: number | null = null,
): Plot => ({
  kind,
  columns,
  of,
  window,
});

const rows = (...values: Record<string, Value>[]): Row[] =>
  values.map((values, place) => ({ trial: place + 1, start: 0, end: 0, ending: "done", values }));

describe("heights", () => {
  it("are a choice's place among the names, and nothing where a trial has no value", () => {
    const side = column("choice", ["left", "right"]);
    expect(heights(rows({ c: "right" }, { c: null }, {}, { c: "left" }), "c", side)).toEqual([
      1,
      null,
      null,
      0,
    ]);
    expect(heights(rows({ c: true }, { c: 2.5 }), "c", column("boolean"))).toEqual([1, 2.5]);
  });

  it("have names where they stand for some", () => {
    expect(names(column("choice", ["left", "right"]))).toEqual(["left", "right"]);
    expect(names(column("boolean"))).toEqual(["false", "true"]);
    expect(names(column("duration"))).toEqual([]);
  });
});

describe("columns that are drawn together", () => {
  const cue = column("choice", ["go", "no_go"]);
  const outcome = column("choice", ["hit", "miss", "correct_rejection", "false_alarm"]);

  it("have heights of their own where they have no name in common, as in go/no-go", () => {
    const shown = ticks([cue, outcome]);
    expect(shown.map(({ name }) => name)).toEqual([
      "go",
      "no_go",
      "hit",
      "miss",
      "correct_rejection",
      "false_alarm",
    ]);
    expect(new Set(shown.map(({ at }) => at)).size).toBe(6);
    const at = (name: string) => shown.find((tick) => tick.name === name)?.at;
    const trials = rows({ c: "hit" }, { c: "false_alarm" }, { c: null });
    expect(heights(trials, "c", outcome, shown)).toEqual([at("hit"), at("false_alarm"), null]);
    expect(at("hit")).not.toBe(at("go"));
  });

  it("share the heights of names that they share, whatever their places", () => {
    const response = column("choice", ["none", "right", "left"]);
    const shown = ticks([column("choice", ["left", "right"]), response]);
    expect(shown).toEqual([
      { name: "left", at: 0 },
      { name: "right", at: 1 },
      { name: "none", at: 2 },
    ]);
    expect(heights(rows({ c: "right" }, { c: "none" }), "c", response, shown)).toEqual([1, 2]);
    expect(heights(rows({ c: true }), "c", undefined, ticks([column("boolean")]))).toEqual([1]);
  });

  it("are numbers where one of them is", () => {
    expect(ticks([cue, column("duration")])).toEqual([]);
  });
});

describe("a rolling mean", () => {
  it("is the share of the value that counts over the window", () => {
    const outcome = column("choice", ["correct", "error"]);
    const of = plot("rolling_mean", ["c"], "correct", 2);
    const made = rows({ c: "correct" }, { c: "error" }, { c: null }, { c: "error" });
    expect(rolling(made, of, outcome)).toEqual([1, 0.5, 0.5, 0]);
  });

  it("is the mean of a number's column, and nothing before the first value", () => {
    const latency = column("duration");
    const of = plot("rolling_mean", ["c"], null, 3);
    expect(rolling(rows({}, { c: 1 }, { c: 2 }, { c: 6 }, { c: 4 }), of, latency)).toEqual([
      null,
      1,
      1.5,
      3,
      4,
    ]);
  });
});

describe("spans", () => {
  it("are the stretches of trials in which a column is true", () => {
    const made = rows({ c: false }, { c: true }, { c: true }, { c: null }, { c: true });
    expect(spans(made, plot("spans", ["c"]))).toEqual([
      { from: 2, to: 3 },
      { from: 5, to: 5 },
    ]);
  });
});

describe("a psychometric curve", () => {
  it("counts responses by stimulus, in order, without trials that lack either", () => {
    const made = rows(
      { s: 2, r: "right" },
      { s: 1, r: "left" },
      { s: 2, r: "left" },
      { s: 2, r: null },
      { r: "left" },
    );
    const curve = psychometric(made, plot("psychometric", ["s", "r"], "right"), []);
    expect(curve.map(({ stimulus, hits, count }) => [stimulus, hits, count])).toEqual([
      [1, 0, 1],
      [2, 1, 2],
    ]);
    expect(curve[1]?.low).toBeGreaterThan(0);
    expect(curve[1]?.high).toBeLessThan(1);
  });

  it("is of the last choice where nothing is said", () => {
    const response = { ...column("choice"), name: "r", choices: ["left", "right"] };
    const made = rows({ s: 1, r: "right" }, { s: 1, r: "left" }, { s: 1, r: "right" });
    const [curve] = psychometric(made, plot("psychometric", ["s", "r"]), [response]);
    expect(curve?.hits).toBe(2);
  });

  it("puts near stimuli together where there are many", () => {
    const made = rows(...Array.from({ length: 400 }, (_, place) => ({ s: place / 400, r: place > 200 })));
    const curve = psychometric(made, plot("psychometric", ["s", "r"]), []);
    expect(curve.length).toBeLessThanOrEqual(15);
    expect(curve.reduce((sum, { count }) => sum + count, 0)).toBe(400);
    expect(curve[0]?.share).toBe(0);
    expect(curve.at(-1)?.share).toBe(1);
  });
});
