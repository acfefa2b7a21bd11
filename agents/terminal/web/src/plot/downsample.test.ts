import { describe, expect, it } from "vitest";
import { downsample, search } from "./downsample";

describe("a stream on the screen", () => {
  const times = Array.from({ length: 10_000 }, (_, place) => place);
  const values = times.map((time) => (time === 7_321 ? 9 : time === 4_444 ? -9 : Math.sin(time / 50)));

  it("has no more than two samples a bucket, and keeps what sticks out", () => {
    const [thinTimes, thin] = downsample(times, values, 0, 10_000, 300);
    expect(thin.length).toBeLessThanOrEqual(600);
    expect(Math.max(...thin)).toBe(9);
    expect(Math.min(...thin)).toBe(-9);
    expect(thinTimes).toEqual([...thinTimes].sort((one, other) => one - other));
  });

  it("is as it was where it is sparse", () => {
    expect(downsample([1, 2, 3], [5, 6, 7], 2, 4, 100)).toEqual([
      [2, 3],
      [6, 7],
    ]);
    expect(downsample([], [], 0, 1, 10)).toEqual([[], []]);
  });

  it("finds a time among others", () => {
    expect([0, 2, 2.5, 9].map((time) => search([1, 2, 3], time))).toEqual([0, 1, 2, 3]);
  });
});
