import { expect, test } from "vitest";
import { heights } from "./timing";

const bars = (...counts: number[]) => counts.map((count, place) => ({ up_to: 10 ** place, count }));

test("one late output among thousands is seen", () => {
  const [many, none, one] = heights(bars(100_000, 0, 1));
  expect([many, none]).toEqual([1, 0]);
  expect(one).toBeGreaterThan(0.05);
});

test("where nothing was measured no bar is drawn", () => {
  expect(heights(bars(0, 0))).toEqual([0, 0]);
});
