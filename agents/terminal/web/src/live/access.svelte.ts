/** Whether the terminal asks for a login, and who has logged in. */

import { get, onLoggedOut, post, type Refusal } from "../api/client";
import type { LoginInfo } from "../api/types";

/** How long to wait, in milliseconds, where the terminal does not answer. */
const AGAIN = 1000;

class Access {
  info: LoginInfo | undefined = $state.raw();

  constructor() {
    // A login that has expired shows in any answer.
    onLoggedOut(() => {
      if (this.info) this.info = { required: true, who: null, role: null };
    });
  }

  /** Whether somebody has to log in first. */
  get out(): boolean {
    return this.info?.required === true && this.info.role === null;
  }

  /** Asks until the terminal answers. */
  async ask(): Promise<void> {
    try {
      this.info = await get<LoginInfo>("/login");
    } catch (error) {
      // One that knows no login asks for none.
      if ((error as Refusal).status === 404) this.info = { required: false, who: null, role: null };
      else setTimeout(() => this.ask(), AGAIN);
    }
  }

  async logIn(user: string, password: string): Promise<void> {
    this.info = await post<LoginInfo>("/login", { user, password });
  }

  async logOut(): Promise<void> {
    await post("/logout", {});
    this.info = { required: true, who: null, role: null };
  }
}

export const access = new Access();
