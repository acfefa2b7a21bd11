import { describe, expect, it } from "vitest";
import { around, ticks } from "./span";

describe("weighings over time", () => {
  it("are shown within a day where there is one, or several of one day", () => {
    const noon = 1_790_000_000;
    expect(around([noon])).toEqual([noon - 43_200, noon + 43_200]);
    const [from, to] = around([noon, noon + 3600]);
    expect(to - from).toBe(86_400);
    expect([from < noon, to > noon + 3600]).toEqual([true, true]);
  });

  it("have a little room around them where there are more", () => {
    expect(around([0, 50 * 86_400])).toEqual([-2 * 86_400, 52 * 86_400]);
  });
});

describe("ticks at sessions", () => {
  it("are at sessions that there are, and at no others", () => {
    expect(ticks(1, 1, 10)).toEqual([1]);
    expect(ticks(1, 3, 10)).toEqual([1, 2, 3]);
    expect(ticks(1, 30, 8)).toEqual([5, 10, 15, 20, 25, 30]);
    expect(ticks(1203, 1204, 1)).toEqual([1204]);
    expect(ticks(1203, 1203, 1)).toEqual([1203]);
  });
});
