/** A moment in the lab's zone for an axis of dates. */

import uPlot from "uplot";

/** A date whose parts by the browser's clock are those of the lab's. */
export function tzDate(stamp: number, zone: string | undefined): Date {
  const date = new Date(stamp * 1000);
  return zone ? uPlot.tzDate(date, zone) : date;
}
