/** Who sits at this page: their name goes with whatever they do. */

import { lab } from "./lab.svelte";

const KEPT = "bramble.who";

class Me {
  #typed = $state(globalThis.localStorage?.getItem(KEPT) ?? "");

  /** Whom the terminal takes whatever is done for. */
  get who(): string {
    return this.#typed || (lab.info?.who ?? "");
  }

  set who(name: string) {
    this.#typed = name.trim();
    localStorage.setItem(KEPT, this.#typed);
  }

  /** Whether they may start, stop and change sessions. */
  get runs(): boolean {
    return lab.info?.role !== "view";
  }

  /** Whether they may change what others rely on: protocols, agents, users. */
  get manages(): boolean {
    return lab.info === undefined || lab.info.role === "manage";
  }
}

export const me = new Me();
