import { describe, expect, it } from "vitest";
import type { Row, SessionEvent } from "../api/types";
import { raster, sources } from "./raster";

const S = 1e9;
const row = (trial: number, start: number, end: number): Row => ({
  trial,
  start: start * S,
  end: end * S,
  ending: "done",
  values: {},
});
const event = (t: number, trial: number, kind: string, source: string, value = 0): SessionEvent => ({
  t: t * S,
  trial,
  kind,
  source,
  value,
});

const events = [
  event(10, 1, "input", "poke.left", 1),
  event(11, 1, "stage start", "choose"),
  event(12, 1, "input", "poke.left", 0),
  event(13, 1, "output", "light", 1),
  event(21, 2, "input", "poke.left", 0),
];

describe("a raster", () => {
  it("has what lasted in each trial, from the trial's start", () => {
    const lines = raster([row(1, 10, 14), row(2, 20, 22)], events, { kind: "trial" });
    expect(lines.map((line) => line.trial)).toEqual([1, 2]);
    expect(lines[0]?.marks).toEqual([
      { source: "poke.left", from: 0, to: 2 },
      { source: "light", from: 3, to: 4 },
    ]);
    expect(lines[1]?.marks, "what was on when the trial began").toEqual([
      { source: "poke.left", from: 0, to: 1 },
    ]);
  });

  it("is aligned to a stage where that is asked for, without trials that had none", () => {
    const lines = raster([row(1, 10, 14), row(2, 20, 22)], events, { kind: "stage", path: "choose" });
    expect(lines.map((line) => [line.trial, line.begin, line.end])).toEqual([[1, -1, 3]]);
    expect(lines[0]?.marks[0]).toEqual({ source: "poke.left", from: -1, to: 1 });
  });

  it("names the sources that have most first", () => {
    expect(sources(raster([row(1, 10, 14), row(2, 20, 22)], events, { kind: "trial" }))).toEqual([
      "poke.left",
      "light",
    ]);
  });
});
