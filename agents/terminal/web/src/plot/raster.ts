/** Events around each trial: lines of marks, one line a trial. */

import type { Row, SessionEvent } from "../api/types";

/** Something that lasted: an input that was high, an output that was on. */
export interface Mark {
  source: string;
  /** Seconds from the moment that the trial is aligned to. */
  from: number;
  to: number;
}

export interface RasterLine {
  trial: number;
  /** When the trial began and ended, in seconds from that moment. */
  begin: number;
  end: number;
  marks: Mark[];
}

/** What the lines are aligned to: the trial's start, or the start of a stage. */
export type Align = { kind: "trial" } | { kind: "stage"; path: string };

const SWITCHES = new Set(["input", "output"]);

/** One line for each trial that had the moment it is aligned to, in the order of trials. */
export function raster(rows: Row[], events: SessionEvent[], align: Align): RasterLine[] {
  const byTrial = new Map<number, SessionEvent[]>();
  for (const event of events) {
    const list = byTrial.get(event.trial);
    if (list) list.push(event);
    else byTrial.set(event.trial, [event]);
  }
  const lines: RasterLine[] = [];
  for (const row of rows) {
    const own = byTrial.get(row.trial);
    if (!own) continue;
    const zero =
      align.kind === "trial"
        ? row.start
        : own.find((event) => event.kind === "stage start" && event.source === align.path)?.t;
    if (zero === undefined) continue;
    const seconds = (t: number) => (t - zero) / 1e9;
    lines.push({
      trial: row.trial,
      begin: seconds(row.start),
      end: seconds(row.end),
      marks: marks(own, row, seconds),
    });
  }
  return lines;
}

function marks(events: SessionEvent[], row: Row, seconds: (t: number) => number): Mark[] {
  const found: Mark[] = [];
  const on = new Map<string, number>();
  const close = (source: string, to: number) => {
    const from = on.get(source);
    if (from === undefined) return;
    on.delete(source);
    found.push({ source, from, to });
  };
  for (const event of events) {
    if (event.kind === "command" && event.value > 0) {
      const from = seconds(event.t);
      found.push({ source: event.source, from, to: from + event.value });
    }
    if (!SWITCHES.has(event.kind)) continue;
    const at = seconds(event.t);
    if (event.value > 0) {
      if (!on.has(event.source)) on.set(event.source, at);
    } else if (on.has(event.source)) close(event.source, at);
    // What was on when the trial began.
    else found.push({ source: event.source, from: seconds(row.start), to: at });
  }
  for (const source of [...on.keys()]) close(source, seconds(row.end));
  return found;
}

/** The sources that have marks, most first. */
export function sources(lines: RasterLine[]): string[] {
  const count = new Map<string, number>();
  for (const line of lines)
    for (const mark of line.marks) count.set(mark.source, (count.get(mark.source) ?? 0) + 1);
  return [...count].sort((one, other) => other[1] - one[1]).map(([source]) => source);
}
