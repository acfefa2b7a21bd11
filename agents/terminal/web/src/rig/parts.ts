/** The parts of a rig, and what they read or are. */

import type { Part } from "./types";

const INPUTS = ["digital_input", "analog_input", "encoder"];

export function inputs(parts: Part[]): Part[] {
  return parts.filter((part) => INPUTS.includes(part.kind));
}

export function outputs(parts: Part[]): Part[] {
  return parts.filter((part) => !INPUTS.includes(part.kind));
}

/** Whether it is on or off, or on at a level. */
export function isSwitched(part: Part): boolean {
  return ["digital_output", "level_output", "solenoid"].includes(part.kind);
}

/** `high`, `on`, `50 %`, `12.5 deg`. */
export function shown(part: Part, value: number): string {
  if (part.kind === "digital_input") return value > 0 ? "high" : "low";
  if (INPUTS.includes(part.kind)) return `${+value.toFixed(3)} ${part.unit}`.trim();
  if (value === 0) return "off";
  return value === 1 ? "on" : `${+(value * 100).toFixed(1)} %`;
}

/** A short time in milliseconds as people read it: `20 ms`, `1.5 s`. */
export function lasting(milliseconds: number): string {
  return milliseconds < 1000 ? `${+milliseconds.toFixed(2)} ms` : `${+(milliseconds / 1000).toFixed(1)} s`;
}
