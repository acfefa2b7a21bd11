/** What is more often a mistake of typing than true, and is asked again. */

import { grams, water } from "./units";

/** A weight so far from the last, as a share of it. */
const FAR = 0.15;
/** What animals weigh that are weighed for the first time, in grams: from a young mouse to a large rat. */
const USUAL = [5, 1000] as const;
/** So many times what it is to drink in a day. */
const TIMES = 3;
/** Where nothing was set for the day, in microliters. */
const MUCH = 30_000;

/** Why a weight in grams is doubted; empty where it isn't. */
export function oddWeight(mass: number, last: number | undefined): string {
  if (last !== undefined) {
    if (Math.abs(mass / last - 1) <= FAR) return "";
    return `${grams(mass)} is far from its last weight, ${grams(last)}.`;
  }
  if (mass >= USUAL[0] && mass <= USUAL[1]) return "";
  return `${grams(mass)} is much for a mouse or a rat, or little.`;
}

/** Why water given by hand is doubted, in microliters; empty where it isn't. */
export function oddWater(volume: number, target: number | null | undefined): string {
  if (target) {
    if (volume <= TIMES * target) return "";
    return `${water(volume)} is more than ${TIMES} times what it is to have in a day, ${water(target)}.`;
  }
  return volume <= MUCH ? "" : `${water(volume)} is much for a day.`;
}
