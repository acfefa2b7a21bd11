/** The alerts that are on, as the terminal said last. */

import { act, at, get, post } from "../api/client";
import type { Alert } from "../api/types";
import { me } from "../live/me.svelte";

/** In nanoseconds. */
const HOUR = 3600e9;

class Alerts {
  on: Alert[] = $state.raw([]);

  /** Those that nobody has seen. */
  get unseen(): Alert[] {
    return this.on.filter((alert) => !alert.seen);
  }

  /** These are on now; nothing was said of them where there are none. */
  take(on: Alert[] | undefined): void {
    if (on) this.on = on;
  }

  async see(alert: Alert): Promise<string> {
    await post<Alert>(at`/alerts/${alert.id}/seen`, { who: me.who });
    return `You have seen: ${alert.text}`;
  }

  /** Has nobody be told of it for some hours; for none ends that. */
  async silence(alert: Alert, hours: number): Promise<string> {
    await post<Alert>(at`/alerts/${alert.id}/silence`, { time: hours * HOUR, who: me.who });
    return hours > 0
      ? `Nobody is told for ${hours} h: ${alert.text}`
      : `Others are told again: ${alert.text}`;
  }

  /** Those that ended, the newest first. */
  async past(): Promise<Alert[]> {
    return (await get<{ past: Alert[] }>("/alerts")).past;
  }

  out(subject: string): Promise<string> {
    return act(at`/subjects/${subject}/out`, { who: me.who });
  }
}

export const alerts = new Alerts();
