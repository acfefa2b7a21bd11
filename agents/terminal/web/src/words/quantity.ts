/** Quantities as tasks write them, `200 ms`: a number and its unit. */

/** By unit, its size in the first of its kind. */
const KINDS: Record<string, number>[] = [
  { s: 1, ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, min: 60, h: 3600 },
  { uL: 1, µL: 1, nL: 1e-3, mL: 1e3 },
  { Hz: 1, kHz: 1e3, MHz: 1e6 },
  { "%": 1 },
];

export interface Quantity {
  number: number;
  /** Empty where it is only a number. */
  unit: string;
}

/** A quantity, or a number alone; nothing where the text is neither. */
export function quantity(text: string): Quantity | undefined {
  const found = /^(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*([A-Za-zµ]*|%)$/.exec(text.trim());
  if (!found?.[1]) return undefined;
  const unit = found[2] ?? "";
  if (unit !== "" && !KINDS.some((units) => unit in units)) return undefined;
  return { number: Number(found[1]), unit };
}

export type End = number | undefined;

/** The ends of a range of whole numbers, `15 to 30` or `[15,30]`; none where the text is no such thing. */
export function range(text: string): [End, End] {
  const found = /^(?:(-?\d+) to (-?\d+)|\[(-?\d+), ?(-?\d+)\])$/.exec(text.trim());
  const [least, most] = [found?.[1] ?? found?.[3], found?.[2] ?? found?.[4]];
  return [least === undefined ? undefined : Number(least), most === undefined ? undefined : Number(most)];
}

/** The same in another unit of its kind; nothing where it has none such. */
export function within({ number, unit }: Quantity, other: string): number | undefined {
  if (unit === other) return number;
  const units = KINDS.find((kind) => unit in kind && other in kind);
  // What is left of a sum with fractions is no part of the number.
  return units && Number(((number * (units[unit] ?? 1)) / (units[other] ?? 1)).toPrecision(12));
}

/** How far one press changes a number: about a tenth of what is usual, and round. */
export function stride(usual: number, whole: boolean): number {
  const tenth = Math.abs(usual) / 10 || 0.1;
  const power = 10 ** Math.floor(Math.log10(tenth));
  const step = ([1, 2, 5, 10].find((one) => one * power >= tenth * 0.999) ?? 10) * power;
  return whole ? Math.max(1, Math.round(step)) : Number(step.toPrecision(3));
}

/** A number so many strides further, on a stride and within its range. */
export function stepped(
  from: number,
  by: number,
  least: number | undefined,
  most: number | undefined,
): number {
  const on = Number((Math.round((from + by) / Math.abs(by)) * Math.abs(by)).toPrecision(12));
  return Math.min(most ?? Number.POSITIVE_INFINITY, Math.max(least ?? Number.NEGATIVE_INFINITY, on));
}
