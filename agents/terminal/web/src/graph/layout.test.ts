import { describe, expect, it } from "vitest";
import type { Stage } from "../api/types";
import { type Box, layout } from "./layout";

const stage = (path: string, kind: string, parent: number | null, ways: Stage["ways"] = []): Stage => ({
  name: path,
  path,
  kind,
  heading: kind,
  notes: [],
  parent,
  children: [],
  ways,
  line: 1,
});

const choice = [
  stage("trials", "trials", null),
  stage("states", "states", 0),
  stage("ready", "state", 1, [{ words: "poke rises", leads: [{ goto: 3 }] }]),
  stage("choose", "state", 1, [
    { words: "poke[target] rises", leads: [{ goto: 4 }] },
    { words: "poke[target.other] rises", leads: [{ goto: 5 }] },
    { words: "after window", leads: ["done"] },
  ]),
  stage("reward", "state", 1, [{ words: "after pause", leads: ["done"] }]),
  stage("timeout", "delay", 1, [{ words: "then", leads: [{ goto: 2 }] }]),
];

const named = (boxes: Box[], path: string): Box => boxes.find((box) => box.path === path) as Box;
const inside = (inner: Box, outer: Box) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

describe("a picture of stages", () => {
  const { boxes, arrows, width, height } = layout(choice);

  it("has every stage in the frame of what it is part of, and all in the picture", () => {
    for (const [id, one] of choice.entries()) {
      if (one.parent === null) continue;
      expect(inside(named(boxes, one.path), boxes.find((box) => box.id === one.parent) as Box), `${id}`).toBe(
        true,
      );
    }
    expect(boxes.every((box) => box.x + box.width <= width && box.y + box.height <= height)).toBe(true);
  });

  it("puts what follows below, and what are alternatives beside each other", () => {
    const [ready, choose] = [named(boxes, "ready"), named(boxes, "choose")];
    const [reward, timeout] = [named(boxes, "reward"), named(boxes, "timeout")];
    expect(choose.y).toBeGreaterThan(ready.y + ready.height);
    expect(reward.y).toBe(timeout.y);
    expect(timeout.x).toBeGreaterThan(reward.x + reward.width);
  });

  it("puts what several lead to below all of them", () => {
    const [call, left, right] = [1, 2, 3];
    const { boxes } = layout([
      stage("states", "states", null),
      stage("call", "state", 0, [{ words: "", leads: [{ goto: left }, { goto: right }, { goto: 4 }] }]),
      stage("left", "state", 0, [{ words: "", leads: [{ goto: 4 }] }]),
      stage("right", "state", 0, [{ words: "", leads: [{ goto: 4 }] }]),
      stage("pause", "state", 0, [{ words: "", leads: [{ goto: call }] }]),
    ]);
    const y = (path: string) => named(boxes, path).y;
    expect(y("left")).toBe(y("right"));
    expect(y("pause")).toBeGreaterThan(y("left"));
  });

  it("has an arrow for each way to a sibling, and marks what leads to the end", () => {
    expect(arrows.map(({ from, to }) => [from, to])).toEqual([
      [2, 3],
      [3, 4],
      [3, 5],
      [5, 2],
    ]);
    expect(named(boxes, "choose").ends).toBe(true);
    expect(named(boxes, "ready").ends).toBe(false);
    expect(arrows.every(({ path }) => !path.includes("NaN"))).toBe(true);
  });

  it("is empty where there are no stages", () => {
    expect(layout([])).toEqual({ width: 0, height: 0, boxes: [], arrows: [] });
  });
});
