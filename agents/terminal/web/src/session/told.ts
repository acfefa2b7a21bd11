/** Events in words. */

import type { SessionEvent, TaskView } from "../api/types";
import { quantity, trimmed } from "../plot/say";

/** What a list says of an event: what happened, to what, and the value that goes with it. */
export interface Told {
  what: string;
  where: string;
  value: string;
}

/** What only the engine's own order is told by: stages that are entered and left say the same. */
const WITHIN = new Set(["turn start", "turn end", "goto", "moment", "answered", "waits"]);
const WORDS: Record<string, string> = { "stage start": "enters", "stage end": "leaves" };
const ASKED = ["stop", "stop after the trial", "fail", "pause", "resume"];

/** An event in words; nothing where a person has no use for it. */
export function told({ kind, source, value }: SessionEvent, task: TaskView | null): Told | undefined {
  if (WITHIN.has(kind)) return undefined;
  return { what: WORDS[kind] ?? kind, where: source, value: valued(kind, source, value, task) };
}

function valued(kind: string, source: string, value: number, task: TaskView | null): string {
  switch (kind) {
    case "input":
      return value > 0 ? "high" : "low";
    case "output":
      return value === 1 ? "on" : value === 0 ? "off" : trimmed(value);
    case "command":
      return value ? quantity(value, "s") : "";
    case "late":
      return quantity(value, "s");
    case "manual":
      return quantity(value, "uL");
    case "column":
      return of(
        value,
        task?.columns.find(({ name }) => name === source),
      );
    case "parameter":
      return of(value, parameter(source, task));
    case "asked":
      return source === task?.name ? (ASKED[value] ?? "") : of(value, parameter(source, task));
    case "count":
    case "lost":
    case "message":
      return trimmed(value);
    default:
      return "";
  }
}

const parameter = (source: string, task: TaskView | null) =>
  task?.parameters.find(({ name }) => name === source);

/** A value as its column or parameter has it. */
function of(value: number, kind: { type: string; unit: string; choices: string[] } | undefined): string {
  if (kind?.type === "boolean") return value > 0 ? "true" : "false";
  if (kind && kind.choices.length > 0) return kind.choices[value] ?? trimmed(value);
  return quantity(value, kind?.unit ?? "");
}
