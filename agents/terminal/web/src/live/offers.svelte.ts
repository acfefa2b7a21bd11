/** What the terminal's API has, as its description says: what it doesn't have isn't shown. */

import { get } from "../api/client";

class Offers {
  #paths: Set<string> = $state.raw(new Set());

  async ask(): Promise<void> {
    const { paths } = await get<{ paths: Record<string, unknown> }>("/openapi.json");
    this.#paths = new Set(Object.keys(paths).map((path) => path.replace(/^\/api\/v1/, "")));
  }

  /** Whether there is a path, as in `/tasks/check`. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  get tasks(): boolean {
    return this.has("/tasks");
  }

  get protocols(): boolean {
    return this.has("/protocols");
  }

  get reports(): boolean {
    return this.has("/subjects/{id}/sessions/{number}/report.html");
  }
}

export const offers = new Offers();
