/** Who sits at this page: their name goes with whatever they do. */

import { at, mistake, tidy } from "../words/person";
import { person } from "../words/state";
import { access } from "./access.svelte";
import { lab } from "./lab.svelte";

const KEPT = "bramble.who";

/** The name that this browser keeps; one that can't be used is let go. */
function kept(): string {
  const name = tidy(globalThis.localStorage?.getItem(KEPT) ?? "");
  if (mistake(name) === "") return name;
  globalThis.localStorage?.removeItem(KEPT);
  return "";
}

class Me {
  #typed = $state(kept());

  /** The name as they typed it; where they never did, that of whose terminal it is. */
  get typed(): string {
    return this.#typed || person(lab.info?.who ?? "");
  }

  /** Whom the terminal takes whatever is done for. */
  get who(): string {
    if (access.info?.required) return access.info.who ?? access.before?.who ?? "";
    return at(this.#typed, lab.info?.who) || (lab.info?.who ?? "");
  }

  set who(name: string) {
    this.#typed = tidy(name);
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
