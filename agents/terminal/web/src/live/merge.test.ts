import { describe, expect, it } from "vitest";
import type { Row } from "../api/types";
import { joined, newer, within } from "./merge";

const row = (trial: number, ending: Row["ending"] = "done"): Row => ({
  trial,
  start: 0,
  end: 0,
  ending,
  values: {},
});

describe("rows that come", () => {
  it("follow those that are there", () => {
    expect(newer([row(1)], [row(2), row(3)]).map((one) => one.trial)).toEqual([1, 2, 3]);
    expect(newer([row(1)], [])).toEqual([row(1)]);
  });

  it("are there once where they come again, as they were said last", () => {
    expect(newer([row(1), row(2)], [row(2, "timeout"), row(3)])).toEqual([row(1), row(2, "timeout"), row(3)]);
  });
});

describe("buckets that come", () => {
  const bucket = (t: number, last = 0) => ({ t, min: 0, max: 0, last });

  it("follow, and one that grew takes the place of what it was", () => {
    expect(joined([bucket(0), bucket(20)], [bucket(20, 5), bucket(40)])).toEqual([
      bucket(0),
      bucket(20, 5),
      bucket(40),
    ]);
    expect(joined([], [bucket(0)])).toEqual([bucket(0)]);
    expect(joined([bucket(0)], [bucket(20)])).toEqual([bucket(0), bucket(20)]);
  });
});

describe("a list that grows", () => {
  it("keeps the newest once it is too long by a quarter", () => {
    expect(within([1, 2, 3, 4, 5], 4)).toEqual([1, 2, 3, 4, 5]);
    expect(within([1, 2, 3, 4, 5, 6], 4)).toEqual([3, 4, 5, 6]);
  });
});
