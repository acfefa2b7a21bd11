import { describe, expect, it } from "vitest";
import { wilson } from "./wilson";

describe("Wilson's interval", () => {
  it("is as in published tables", () => {
    // Newcombe 1998, Statistics in Medicine 17:857, table I: 81/263 and 15/148.
    expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilson(15, 148).low).toBeCloseTo(0.0624, 4);
    expect(wilson(15, 148).high).toBeCloseTo(0.1605, 4);
  });

  it("keeps within 0 and 1, and is not empty at the ends", () => {
    expect(wilson(0, 20).low).toBe(0);
    expect(wilson(0, 20).high).toBeCloseTo(0.1611, 4);
    expect(wilson(20, 20).high).toBe(1);
    expect(wilson(20, 20).low).toBeCloseTo(0.8389, 4);
  });

  it("says nothing of no trials, and more the more there are", () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
    const width = (count: number) => wilson(count / 2, count).high - wilson(count / 2, count).low;
    expect(width(400)).toBeLessThan(width(40));
  });
});
