import { expect, test } from "vitest";
import { quantity, range, stepped, stride, within } from "./quantity";

test("a quantity is a number and a unit that is known", () => {
  expect(quantity("200 ms")).toEqual({ number: 200, unit: "ms" });
  expect(quantity("1.5uL")).toEqual({ number: 1.5, unit: "uL" });
  expect(quantity("0.8")).toEqual({ number: 0.8, unit: "" });
  expect(quantity("15 to 30")).toBeUndefined();
  expect(quantity("3 furlongs")).toBeUndefined();
});

test("a range of whole numbers is read as it is shown and as a file has it", () => {
  expect(range("15 to 30")).toEqual([15, 30]);
  expect(range("[-2,30]")).toEqual([-2, 30]);
  expect(range("15 ms")).toEqual([undefined, undefined]);
});

test("a range is said in the unit of what is typed", () => {
  expect(within({ number: 10, unit: "s" }, "ms")).toBe(10_000);
  expect(within({ number: 500, unit: "nL" }, "uL")).toBe(0.5);
  expect(within({ number: 1, unit: "s" }, "uL")).toBeUndefined();
});

test("a press changes about a tenth, stays round and within the range", () => {
  expect([stride(4, false), stride(200, false), stride(0.8, false), stride(10, true)]).toEqual([
    0.5, 20, 0.1, 1,
  ]);
  expect(stepped(4, 0.5, undefined, undefined)).toBe(4.5);
  expect(stepped(0.8, 0.1, 0, 1)).toBe(0.9);
  expect(stepped(0.95, 0.1, 0, 1)).toBe(1);
  expect(stepped(4.2, -0.5, undefined, undefined)).toBe(3.5);
  expect(stepped(1, -1, 1, undefined)).toBe(1);
});
