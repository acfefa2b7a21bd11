/** A lab that is made up for each test of a file, and a browser that looks at it without a complaint. */

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type Mock, serve } from "../mock/serve.mjs";
import { type Looking, launch, look, type View } from "./browser";

export class MadeUp {
  mock!: Mock;
  /** The pages that were opened, and what each said on its console. */
  seen: Looking[] = [];
  #browser!: Browser;

  constructor() {
    beforeAll(async () => {
      this.#browser = await launch();
    });
    afterAll(() => this.#browser.close());
    beforeEach(async () => {
      this.mock = await serve({ pilots: 6, busy: 3, rate: 4 });
    });
    afterEach(async () => {
      const complaints = this.seen.flatMap((one) => one.complaints);
      await Promise.all(this.seen.map((one) => one.close()));
      this.seen = [];
      await this.mock.close();
      expect(complaints, "no error in the console").toEqual([]);
    });
  }

  readonly open = async (path = "/", view: View = {}): Promise<Page> => {
    const looking = await look(this.#browser, this.mock.url + path, view);
    this.seen.push(looking);
    return looking.page;
  };
}
