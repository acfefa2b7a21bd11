import { describe, expect, it } from "vitest";
import { milliseconds, points, ticks, volume } from "./fit";
import type { Calibration } from "./types";

const calibration: Calibration = {
  valve: "valve.left",
  age_days: 1,
  stale: false,
  lowest_microliters: 0.7,
  highest_microliters: 3.4,
  precision_microliters: 0.01,
  calibration: {
    made: "2026-11-27T13:00:00Z",
    density: 0.9982,
    fit: { microliters_per_second: 40, offset_microliters: 0.1, r_squared: 0.999 },
    points: [
      { open: "80 ms", pulses: 100, grams: 0.3294, residual_microliters: 0.0 },
      { open: "20 ms", pulses: 100, grams: 0.0998, residual_microliters: 0.1 },
    ],
  },
};

describe("a calibration", () => {
  it("has times as a pilot writes them", () => {
    expect(["20 ms", "1.5 s", "500 us"].map(milliseconds)).toEqual([20, 1500, 0.5]);
    expect(milliseconds("20 parsecs")).toBeNaN();
  });

  it("has what one opening gave, the shortest first", () => {
    const [short, long] = points(calibration);
    expect(short?.open).toBe(20);
    expect(short?.each).toBeCloseTo(1.0, 3);
    expect(long?.each).toBeCloseTo(3.3, 2);
  });

  it("has a line", () => {
    expect(volume(calibration, 50)).toBeCloseTo(2.1, 9);
  });

  it("is drawn over round numbers", () => {
    expect(ticks(88)).toEqual([0, 25, 50, 75]);
    expect(ticks(3.4)).toEqual([0, 1, 2, 3]);
  });
});
