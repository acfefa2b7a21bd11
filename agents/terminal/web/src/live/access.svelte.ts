/** Whether the terminal asks for a login, and who has logged in. */

import { get, onLoggedOut, post, type Refusal } from "../api/client";
import type { LoginInfo } from "../api/types";

/** How long to wait, in milliseconds, where the terminal does not answer. */
const AGAIN = 1000;
const NOBODY: LoginInfo = { required: true, who: null, role: null };

class Access {
  info: LoginInfo | undefined = $state.raw();
  /** Who was logged in until their login expired: what they have open stays. */
  before: LoginInfo | undefined = $state.raw();

  constructor() {
    // A login that has expired shows in any answer.
    onLoggedOut(() => {
      if (!this.info || this.out) return;
      this.before = this.info;
      this.info = NOBODY;
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
    const info = await post<LoginInfo>("/login", { user, password });
    // What somebody else has typed is theirs.
    if (this.before && (this.before.who !== info.who || this.before.role !== info.role)) location.reload();
    else this.info = info;
  }

  async logOut(): Promise<void> {
    await post("/logout", {});
    location.assign("/");
  }

  /** Asks whether the login still holds: where it doesn't, the answer says so. */
  async look(): Promise<void> {
    if (this.info?.required && !this.out) await get("/lab").catch(() => {});
  }
}

export const access = new Access();
