import { describe, expect, it } from "vitest";
import type { Device, Row, SessionEvent } from "../api/types";
import { paints, raster, stretches } from "./raster";

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
  it("has all in its trial, in whatever order it came", () => {
    const rows = [row(1, 10, 14), row(2, 20, 22)];
    const late = [...events.slice(4), ...events.slice(0, 4)];
    expect(raster(rows, late, { kind: "trial" })).toEqual(raster(rows, events, { kind: "trial" }));
  });

  it("has what lasted in each trial, from the trial's start", () => {
    const lines = raster([row(1, 10, 14), row(2, 20, 22)], events, { kind: "trial" });
    expect(lines.map((line) => line.trial)).toEqual([1, 2]);
    expect(lines[0]?.marks).toEqual([
      { source: "poke.left", from: 0, to: 2 },
      { source: "light", from: 3, to: 4 },
    ]);
    expect(lines[1]?.marks, "what was on when the trial began").toContainEqual({
      source: "poke.left",
      from: 0,
      to: 1,
    });
  });

  it("is aligned to a stage where that is asked for, without trials that had none", () => {
    const lines = raster([row(1, 10, 14), row(2, 20, 22)], events, { kind: "stage", path: "choose" });
    expect(lines.map((line) => [line.trial, line.begin, line.end])).toEqual([[1, -1, 3]]);
    expect(lines[0]?.marks[0]).toEqual({ source: "poke.left", from: -1, to: 1 });
  });

  it("knows in a trial what was on when the one before ended", () => {
    const rows = [row(1, 10, 14), row(2, 20, 22), row(3, 30, 33)];
    const marks = (trial: number) => raster(rows, events, { kind: "trial" })[trial - 1]?.marks;
    expect(marks(2)).toContainEqual({ source: "light", from: 0, to: 2 });
    expect(marks(3), "through the whole of it").toEqual([{ source: "light", from: 0, to: 3 }]);
    const off = [...events, event(25, 0, "output", "light", 0), event(31, 3, "input", "poke.left", 1)];
    expect(raster(rows, off, { kind: "trial" })[2]?.marks, "it was switched off between two").toEqual([
      { source: "poke.left", from: 1, to: 3 },
    ]);
  });

  it("takes what came before the trials that are shown for what was on then", () => {
    const lines = raster([row(2, 20, 22)], events.slice(3), { kind: "trial" });
    expect(lines[0]?.marks).toContainEqual({ source: "light", from: 0, to: 2 });
  });

  it("is of stretches of time where a task has no trials", () => {
    const blinks = [
      event(1, 0, "output", "led", 1),
      event(29, 0, "output", "led", 0),
      event(61, 0, "output", "led", 1),
    ];
    const cut = stretches(blinks, 30);
    expect(cut.map(({ start }) => start / S)).toEqual([0, 30, 60]);
    const lines = raster(cut, blinks, { kind: "trial" });
    expect(lines.map(({ trial, marks }) => [trial, marks.length])).toEqual([
      [1, 1],
      [3, 1],
    ]);
    expect(stretches([], 30)).toEqual([]);
    expect(stretches(blinks, 2).map(({ start }) => start / S)).toEqual([30, 60]);
  });
});

describe("what is drawn", () => {
  const device = (name: string, kind: string, ports: string[]): Device => ({
    name,
    kind,
    ports,
    unit: "",
    doc: "",
  });
  const hardware = [
    device("poke", "digital_input", ["left", "center", "right"]),
    device("light", "digital_output", ["left", "center", "right"]),
    device("valve", "solenoid", ["left", "right"]),
    device("wheel", "encoder", []),
  ];

  it("is every input and output of the task, however seldom it is used, and always in the same way", () => {
    const none = paints(hardware, [], 6);
    expect(none.map(({ source }) => source)).toEqual([
      "poke.left",
      "poke.center",
      "poke.right",
      "light.left",
      "light.center",
      "light.right",
      "valve.left",
      "valve.right",
    ]);
    expect(none.find(({ source }) => source === "valve.right")).toMatchObject({ color: 2, shade: "light" });
    const lines = raster([row(1, 10, 14)], events, { kind: "trial" });
    expect(paints(hardware, lines, 6).slice(0, none.length)).toEqual(none);
    expect(paints(hardware, lines, 6).at(-1)?.source, "what is heard of though it isn't declared").toBe(
      "light",
    );
  });

  it("is told apart from all else", () => {
    const many = Array.from({ length: 9 }, (_, place) =>
      device(`d${place}`, "digital_output", ["a", "b", "c", "d"]),
    );
    const looks = paints(many.slice(0, 6), [], 6).map(({ source, ...look }) => JSON.stringify(look));
    expect(new Set(looks).size).toBe(looks.length);
  });
});
