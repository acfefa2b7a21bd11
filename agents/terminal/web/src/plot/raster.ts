/** Events around each trial: lines of marks, one line a trial. */

import type { Device, Row, SessionEvent } from "../api/types";

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

/** A stretch of time that is a line: a trial, or some seconds of a session without trials. */
export type Stretch = Pick<Row, "trial" | "start" | "end">;

const SWITCHES = new Set(["input", "output"]);

/**
 * One line for each trial that had the moment it is aligned to, in the order of trials. What was on when a
 * trial ended is so when the next begins.
 */
export function raster(rows: Stretch[], came: SessionEvent[], align: Align): RasterLine[] {
  const events = inOrder(came);
  const lines: RasterLine[] = [];
  const on = new Set<string>();
  let next = 0;
  for (const row of rows) {
    for (; next < events.length && isBefore(events[next] as SessionEvent, row); next += 1)
      turn(on, events[next] as SessionEvent);
    const before = [...on];
    const begin = next;
    for (; next < events.length && !isAfter(events[next] as SessionEvent, row); next += 1)
      turn(on, events[next] as SessionEvent);
    const own = events.slice(begin, next);
    if (own.length === 0 && before.length === 0) continue;
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
      marks: marks(own, before, row, seconds),
    });
  }
  return lines;
}

/** What a pilot that was away brings comes after what it says as it happens. */
const inOrder = (came: SessionEvent[]) => [...came].sort((one, other) => one.t - other.t);

const isBefore = (event: SessionEvent, row: Stretch) =>
  event.trial > 0 ? event.trial < row.trial : event.t < row.start;
const isAfter = (event: SessionEvent, row: Stretch) =>
  event.trial > 0 ? event.trial > row.trial : event.t >= row.end;

function turn(on: Set<string>, event: SessionEvent): void {
  if (!SWITCHES.has(event.kind)) return;
  if (event.value > 0) on.add(event.source);
  else on.delete(event.source);
}

function marks(
  events: SessionEvent[],
  before: string[],
  row: Stretch,
  seconds: (t: number) => number,
): Mark[] {
  const found: Mark[] = [];
  const on = new Map(before.map((source) => [source, seconds(row.start)]));
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
    // It was on before anything is known of it.
    else if (!found.some((mark) => mark.source === event.source))
      found.push({ source: event.source, from: seconds(row.start), to: at });
  }
  for (const source of [...on.keys()]) close(source, seconds(row.end));
  return found;
}

/** How many seconds a line has of a session without trials. */
export const STRETCH = 30;

/** The newest seconds of a session without trials, cut into lines. */
export function stretches(came: SessionEvent[], most: number): Stretch[] {
  const events = inOrder(came);
  const last = events.at(-1);
  if (!last) return [];
  const long = STRETCH * 1e9;
  const end = Math.floor(last.t / long);
  const begin = Math.max(Math.floor(Math.max(0, events[0]?.t ?? 0) / long), end - most + 1);
  return Array.from({ length: end - begin + 1 }, (_, place) => {
    const start = (begin + place) * long;
    return { trial: begin + place + 1, start, end: Math.min(start + long, last.t + 1) };
  });
}

/** How a source is drawn: the same color for a device, lighter and darker for its ports, and then hatched. */
export interface Paint {
  source: string;
  /** The place of its color. */
  color: number;
  shade: "plain" | "light" | "dark";
  hatched: boolean;
}

const MEASURED = new Set(["analog_input", "encoder"]);
const SHADES = ["plain", "light", "dark"] as const;

/**
 * All inputs and outputs of a task in the order it declares them, whether anything was heard of them or not;
 * then whatever else has a mark.
 */
export function paints(hardware: Device[], lines: RasterLine[], colors: number): Paint[] {
  const devices = hardware
    .filter(({ kind }) => !MEASURED.has(kind))
    .map(({ name, ports }) => (ports.length > 0 ? ports.map((port) => `${name}.${port}`) : [name]));
  const known = new Set(devices.flat());
  const others = lines.flatMap((line) => line.marks.map(({ source }) => source));
  const all = [
    ...devices,
    ...[...new Set(others)]
      .filter((one) => !known.has(one))
      .sort()
      .map((one) => [one]),
  ];
  return all.flatMap((sources, device) =>
    sources.map((source, port) => ({
      source,
      color: device % colors,
      shade: SHADES[port % SHADES.length] ?? "plain",
      hatched: (Math.floor(device / colors) + Math.floor(port / SHADES.length)) % 2 === 1,
    })),
  );
}
