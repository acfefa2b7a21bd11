import { describe, expect, it } from "vitest";
import { oddWater, oddWeight } from "./likely";

describe("a weight", () => {
  it("is doubted where it is far from the last, up or down", () => {
    expect(oddWeight(250, 25)).toContain("far from its last weight");
    expect(oddWeight(2.5, 25)).toContain("far from its last weight");
    expect([oddWeight(22, 25), oddWeight(28, 25)]).toEqual(["", ""]);
  });

  it("is doubted the first time where no mouse or rat weighs that", () => {
    expect(oddWeight(2300, undefined)).not.toBe("");
    expect(oddWeight(0.2, undefined)).not.toBe("");
    expect([oddWeight(23, undefined), oddWeight(480, undefined)]).toEqual(["", ""]);
  });
});

describe("water by hand", () => {
  it("is doubted where it is far more than a day's", () => {
    expect(oddWater(100_000, 1200)).toContain("3 times");
    expect(oddWater(100_000, null)).not.toBe("");
    expect([oddWater(1200, 1200), oddWater(20_000, null)]).toEqual(["", ""]);
  });
});
