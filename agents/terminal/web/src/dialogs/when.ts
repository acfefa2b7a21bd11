/** What is asked of the terminal for a day that isn't today: that something was on it, or, where it is
 * `instead` of what was wrong, that that was. */
export function when(day: string, instead: boolean): { on?: string; day?: string } {
  if (day === "") return {};
  return instead ? { day } : { on: day };
}
