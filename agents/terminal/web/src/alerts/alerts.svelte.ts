/** The alerts that are on, as the terminal said last. */

import { act, at, post } from "../api/client";
import type { Alert } from "../api/types";
import { me } from "../live/me.svelte";

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

  out(subject: string): Promise<string> {
    return act(at`/subjects/${subject}/out`, { who: me.who });
  }
}

export const alerts = new Alerts();
