import { describe, expect, it } from "vitest";
import { at, mistake, tidy } from "./person";

describe("a person's name", () => {
  it("is as people write it", () => {
    for (const name of [
      "Jane",
      "Jane Doe",
      "\u00c9lodie",
      "\u5c71\u7530 \u592a\u90ce",
      "jane@desk",
      "a@b.c@desk",
    ])
      expect(mistake(name), name).toBe("");
    expect(tidy("  Jane \t Doe ")).toBe("Jane Doe");
    expect(tidy("E\u0301lodie")).toBe("\u00c9lodie");
  });

  it("is told apart from what can't be one, with why", () => {
    for (const name of [
      "",
      "@desk",
      "jane@",
      "jane@my desk",
      "a\u001b[2J",
      "x".repeat(101),
      "\u5c71".repeat(34),
    ])
      expect(mistake(name), name).toMatch(/\.$/);
  });

  it("has the terminal's computer where it says none", () => {
    expect(at("Jane Doe", "root@desk")).toBe("Jane Doe@desk");
    expect(at("jane@laptop", "root@desk")).toBe("jane@laptop");
    expect(at("Jane", null)).toBe("Jane");
    expect(at("", "root@desk")).toBe("");
  });
});
