/** Who sits at this page: their name goes with whatever they do. */

import { access } from "./access.svelte";
import { lab } from "./lab.svelte";

const KEPT = "bramble.who";

class Me {
  #typed = $state(globalThis.localStorage?.getItem(KEPT) ?? "");

  /** Whom the terminal takes whatever is done for. */
  get who(): string {
    if (access.info?.required) return access.info.who ?? access.before?.who ?? "";
    return this.#typed || (lab.info?.who ?? "");
  }

  set who(name: string) {
    this.#typed = name.trim();
    localStorage.setItem(KEPT, this.#typed);
  }

  /** Whether they may run sessions: start, stop, reward, weigh, note. */
  get runs(): boolean {
    return this.#role !== "view";
  }

  /** Whether they may also change subjects, protocols and agents. */
  get manages(): boolean {
    return this.#role === "manage";
  }

  get #role(): string {
    return access.info?.role ?? access.before?.role ?? lab.info?.role ?? "view";
  }
}

export const me = new Me();
