/** The list of subjects, asked for again when something changed. */

import { get, type Refusal } from "../api/client";
import type { SubjectLine } from "../api/types";

/** Others weigh and give water too, and at midnight a day begins. */
const EVERY = 60_000;

class Subjects {
  list: SubjectLine[] = $state.raw([]);
  problem: Refusal | undefined = $state.raw();
  loaded = $state(false);
  #asking = false;
  #again = false;

  /** Asks again; several in a row are asked once more at the end. */
  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      this.list = await get<SubjectLine[]>("/subjects");
      this.problem = undefined;
      this.loaded = true;
    } catch (refusal) {
      this.problem = refusal as Refusal;
    }
    this.#asking = false;
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  /** Asks again each minute, and when the page is looked at again, until what is returned is called. */
  keep(also: () => void = () => {}): () => void {
    const again = () => {
      void this.refresh();
      also();
    };
    const seen = () => document.visibilityState === "visible" && again();
    const timer = setInterval(again, EVERY);
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }

  find(id: string): SubjectLine | undefined {
    return this.list.find((line) => line.id === id);
  }
}

export const subjects = new Subjects();
