/** What is asked of a rig in the hand and told of it, as a pilot says it at its `hand.sock`. */

/** Nanoseconds. */
export type Ns = number;

export interface Part {
  /** `light.left`, or `led`. */
  name: string;
  kind: string;
  unit: string;
  /** From 0 to 1. */
  safe: number;
  longest_on: Ns | null;
  simulated: boolean;
  /** What an input reads when the rig is opened. */
  reads: number | null;
  /** Whether it is a valve that volumes can be given from. */
  doses: boolean;
}

export interface Opened {
  parts: Part[];
  left_out: string[];
  real: boolean;
}

/** What was weighed, and the line through it. */
export interface Calibration {
  valve: string;
  /** Why its file can't be used. */
  damaged?: string;
  age_days: number;
  stale: boolean;
  lowest_microliters: number;
  highest_microliters: number;
  precision_microliters: number | null;
  calibration: {
    made: string;
    density: number;
    simulated?: boolean;
    fit: { microliters_per_second: number; offset_microliters: number; r_squared: number };
    points: { open: string; pulses: number; grams: number; residual_microliters: number }[];
  };
}

export interface Item {
  what: string;
  outcome: "passed" | "failed" | "warning" | "skipped";
  says: string;
}

export interface Timing {
  p50_ns: Ns;
  p99_ns: Ns;
  worst_ns: Ns;
}

export interface Checked {
  made: string;
  passed: boolean;
  items: Item[];
}

export interface Known {
  calibrations: Calibration[];
  check: Checked | null;
  problems: string[];
}

/** How far what is guided is, and what a person is to do. */
export type Step =
  | { place: { at: number; valve: string; open: Ns; why: string | null } }
  | { opens: { at: number; valve: string; open: Ns; pulses: number; lasts: Ns } }
  | { weigh: { at: number; open: Ns; why: string | null } }
  | {
      no_line: {
        points: { open: Ns; pulses: number; grams: number; microliters: number }[];
        why: string;
      };
    }
  | { line: { calibration: Calibration; before: Calibration | null; changed: string | null } }
  | { kept: { file: string } }
  | { timed: Timing }
  | { found: Item }
  | { trigger: { device: string; prompt: string; within: Ns } }
  | { heard: { text: string } }
  | { spouts: { valves: string[]; open: Ns } }
  | { blinked: { device: string; was: string; length: Ns } }
  | { checked: { checked: Checked; file: string } }
  | { left: { why: string } };

export type Answer =
  | "ready"
  | { weight: string }
  | { again: Ns }
  | { without: Ns }
  | "yes"
  | "no"
  | "repeat"
  | "skip"
  | "end";

export type Ask =
  | "known"
  | "done"
  | { work: { what: string } }
  | { set: { device: string; level: number } }
  | { train: { members: { device: string; on: Ns; offset: Ns }[]; every: Ns; count: number | null } }
  | { give: { device: string; volume: number } }
  | { calibrate: { valve: string; pulses: number; durations: Ns[] } }
  | { check: { skip_inputs: boolean; skip_outputs: boolean; skip_timing: boolean } }
  | { answer: Answer };

export type Told =
  | { open: Opened }
  | { refused: { why: string; busy: boolean } }
  | { event: { device: string; kind: string; value: number; time_ns: Ns } }
  | { note: { text: string } }
  | { closed: { why: string; failed: boolean } }
  | { known: Known }
  | { step: Step };

/** A message of the hand's WebSocket. */
export type Tells = { beat: number } | { told: Told[] } | { over: string };
