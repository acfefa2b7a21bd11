/** Moments as the lab's clock shows them, wherever the browser is. */

import { lab } from "../live/lab.svelte";

type Part = "date" | "time" | "both" | "minute";

const OPTIONS: Record<Part, Intl.DateTimeFormatOptions> = {
  date: { year: "numeric", month: "2-digit", day: "2-digit" },
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  minute: {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  },
  both: {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  },
};

/** The lab's time zone as browsers name it; its distance to UTC where it has no name. */
export function zone(): string | undefined {
  const { info } = lab;
  if (!info || info.zone) return info?.zone ?? undefined;
  const minutes = Math.round(Math.abs(info.utc_offset) / 60);
  const two = (number: number) => number.toString().padStart(2, "0");
  return `${info.utc_offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const made = new Map<string, Intl.DateTimeFormat>();

function format(part: Part): Intl.DateTimeFormat {
  const timeZone = zone();
  const key = `${part} ${timeZone}`;
  let format = made.get(key);
  if (!format) {
    // Sweden writes dates as ISO 8601 does.
    format = new Intl.DateTimeFormat("sv-SE", { ...OPTIONS[part], ...(timeZone ? { timeZone } : {}) });
    made.set(key, format);
  }
  return format;
}

/** `2026-11-27 14:03` in the lab's zone. */
export function minute(moment: string | number): string {
  return format("minute").format(new Date(moment));
}

/** `2026-11-27` in the lab's zone. */
export function date(moment: string | number): string {
  return format("date").format(new Date(moment));
}

/** `14:03:27`, with the date before it where that isn't today. */
export function time(moment: string | number): string {
  const when = new Date(moment);
  const today = format("date").format(new Date()) === format("date").format(when);
  return format(today ? "time" : "both").format(when);
}

/** Seconds since a moment. */
export function since(moment: string, now: number): number {
  return (now - new Date(moment).getTime()) / 1000;
}
