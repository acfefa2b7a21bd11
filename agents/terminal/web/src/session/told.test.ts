import { describe, expect, it } from "vitest";
import type { Column, Parameter, TaskView } from "../api/types";
import { told } from "./told";

const column = (name: string, type: string, choices: string[] = [], unit = ""): Column => ({
  name,
  type,
  choices,
  unit,
  carried: false,
  doc: "",
});
const task = {
  name: "cued_choice",
  columns: [
    column("target", "choice", ["left", "right"]),
    column("latency", "duration", [], "s"),
    column("opto", "boolean"),
  ],
  parameters: [{ name: "reward", type: "volume", choices: [] as string[], unit: "uL" } as Parameter],
} as TaskView;

const said = (kind: string, source: string, value = 0) => {
  const words = told({ t: 0, trial: 1, kind, source, value }, task);
  return words && [words.what, words.where, words.value].filter(Boolean).join(" ");
};

describe("an event in words", () => {
  it("says what a column was written with", () => {
    expect(said("column", "target", 1)).toBe("column target right");
    expect(said("column", "latency", 0.43219)).toBe("column latency 0.4322 s");
    expect(said("column", "opto", 1)).toBe("column opto true");
    expect(said("parameter", "reward", 4)).toBe("parameter reward 4 µL");
  });

  it("says of stages that they are entered and left, and nothing of their turns", () => {
    expect(said("stage start", "choose")).toBe("enters choose");
    expect(said("stage end", "choose")).toBe("leaves choose");
    for (const kind of ["turn start", "turn end", "goto", "moment"])
      expect(said(kind, "choose", 3)).toBe(undefined);
  });

  it("says what was asked for", () => {
    expect(said("asked", "cued_choice", 1)).toBe("asked cued_choice stop after the trial");
    expect(said("asked", "reward", 5)).toBe("asked reward 5 µL");
    expect(said("input", "poke.left", 1)).toBe("input poke.left high");
    expect(said("manual", "valve.left", 3.5)).toBe("manual valve.left 3.5 µL");
  });
});
