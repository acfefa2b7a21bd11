/** The list of subjects, asked for again when something changed. */

import { get, type Refusal } from "../api/client";
import type { SubjectLine } from "../api/types";

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

  find(id: string): SubjectLine | undefined {
    return this.list.find((line) => line.id === id);
  }
}

export const subjects = new Subjects();
