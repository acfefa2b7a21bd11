/** What can be done with a protocol in a form, and who is on it. */

import type { ProtocolLine } from "../api/types";

/** Whether a form can say all of it. */
export const formed = (protocol: ProtocolLine): boolean =>
  protocol.problem === null && protocol.steps.every((step) => step.by_form);

/** The names of subjects, of many the first few. */
export function some(ids: string[], most = 8): string {
  const rest = ids.length - most;
  return rest > 0 ? `${ids.slice(0, most).join(", ")} and ${rest} more` : ids.join(", ");
}
