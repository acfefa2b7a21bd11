/** Quantities as people read them, each with its unit. */

const THIN = "\u202f";

/** A whole number in groups: 12 345. */
export function grouped(number: number): string {
  return Math.round(number)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** Water: `820 µL`, and from 1000 µL on `1.25 mL`. */
export function water(microliters: number): string {
  if (microliters < 1000) return `${trimmed(microliters, microliters < 100 ? 1 : 0)}${THIN}µL`;
  return `${trimmed(microliters / 1000, 2)}${THIN}mL`;
}

/** What an agent wrote, with volumes and short times as people write them: `100000 uL` is `100 mL`. */
export function micro(text: string): string {
  return text
    .replace(/(?<![\w.])(\d+(?:\.\d+)?) ?uL\b(?!\/)/g, (whole, number: string) =>
      Number(number) < 1000 ? whole : water(Number(number)),
    )
    .replace(/(?<![A-Za-z])uL\b/g, "µL")
    .replace(/(?<=\d ?)us\b/g, "µs")
    .replace(/\bp(50|9\d(?:\.\d)?) (?=[\d.]+ ?[nuµm]?s\b)/g, "$1 % within ");
}

/** A weight: `24.3 g`. */
export function grams(mass: number): string {
  return `${mass.toFixed(1)}${THIN}g`;
}

/** A share as a percentage: `83 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}${THIN}%`;
}

/** Whether a share of the baseline is below a limit: one that is at it isn't, however it is rounded. */
export function below(share: number, limit: number | null | undefined): limit is number {
  return typeof limit === "number" && share < limit - 1e-9;
}

/** A share of the baseline, with as many digits as tell it from a limit that it is below. */
export function shareOf(share: number, limit: number | null | undefined): string {
  if (!below(share, limit)) return percent(share);
  const digits = [0, 1, 2, 3, 4, 5, 6, 7].find((n) => below(Number((share * 100).toFixed(n)) / 100, limit));
  return `${(share * 100).toFixed(digits ?? 8)}${THIN}%`;
}

/** Bytes: `12 GB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let left = count;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${left >= 100 || unit === 0 ? Math.round(left) : trimmed(left, 1)}${THIN}${units[unit]}`;
}

/** A short time, from nanoseconds: `48 µs`, `2.3 ms`, `1.2 s`. */
export function short(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)}${THIN}ns`;
  if (ns < 1e6) return `${significant(ns / 1e3)}${THIN}µs`;
  if (ns < 1e9) return `${significant(ns / 1e6)}${THIN}ms`;
  return `${significant(ns / 1e9)}${THIN}s`;
}

/** How long something has lasted, from seconds: `0:00:38`, `1:12:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number: number) => number.toString().padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** How long ago, from seconds: `12 s`, `5 min`, `3 h`, `2 d`. */
export function ago(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 100) return `${Math.round(whole)}${THIN}s`;
  if (whole < 6000) return `${Math.round(whole / 60)}${THIN}min`;
  if (whole < 172_800) return `${Math.round(whole / 3600)}${THIN}h`;
  return `${Math.round(whole / 86_400)}${THIN}d`;
}

function significant(number: number): string {
  return number >= 100 ? Math.round(number).toString() : number.toPrecision(2).replace(/\.0$/, "");
}

function trimmed(number: number, digits: number): string {
  return Number(number.toFixed(digits)).toString();
}
