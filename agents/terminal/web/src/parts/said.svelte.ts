/** What was done, and what went wrong, for a moment at the edge of the page. */

import { micro } from "../words/units";

export interface Said {
  id: number;
  text: string;
  bad: boolean;
}

class Sayings {
  list: Said[] = $state([]);
  #next = 0;

  say(text: string, bad = false): void {
    const id = this.#next++;
    this.list.push({ id, text: micro(text), bad });
    setTimeout(() => this.hush(id), bad ? 12_000 : 6_000);
  }

  hush(id: number): void {
    this.list = this.list.filter((one) => one.id !== id);
  }
}

export const sayings = new Sayings();
