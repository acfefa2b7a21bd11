/** The line to the terminal: it comes back by itself, and begins with a snapshot each time. */

import type { Changes, Snapshot } from "../api/types";

export interface Hears {
  /** Everything as it is now. */
  snapshot(snapshot: Snapshot): void;
  /** What changed since. */
  changes(changes: Changes): void;
  /** Whether the terminal is heard. */
  connected(yes: boolean): void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;
/** The terminal says something each 2.5 s: one that has said nothing for this long isn't heard any more. */
const SILENCE = 8_000;
/** So long may it take until what was asked for is here, over a slow line. */
const PATIENCE = 30_000;

export class Line {
  #socket: WebSocket | undefined;
  #wait = FIRST_WAIT;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  /** Until when something must have been heard. */
  #due = Number.POSITIVE_INFINITY;
  #watched: string[] = [];
  readonly #closed = new AbortController();

  constructor(
    private readonly url: string,
    private readonly hears: Hears,
  ) {
    this.#dial();
    // A computer that slept, or was without a network, is back: don't wait any longer.
    const { signal } = this.#closed;
    globalThis.addEventListener?.("online", () => this.#now(), { signal });
    globalThis.document?.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") this.#now();
      },
      { signal },
    );
  }

  /** From now on, all that happens on these pilots is told. */
  watch(pilots: string[]): void {
    if (pilots.join() === this.#watched.join()) return;
    this.#watched = pilots;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#tell();
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#retry = undefined;
    this.#socket?.close();
  }

  #tell(): void {
    this.#socket?.send(JSON.stringify({ watch: this.#watched }));
    this.#expect(PATIENCE);
  }

  #now(): void {
    if (this.#retry !== undefined) {
      this.#wait = FIRST_WAIT;
      this.#dial();
    } else this.#listen();
  }

  /** Something must be heard within this time. */
  #expect(within: number): void {
    const due = Date.now() + within;
    const sooner = due < this.#due;
    this.#due = due;
    // The timer isn't set anew for each message: when it is over it looks how long there is still.
    if (this.#silence === undefined || sooner) this.#listen();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    const left = this.#due - Date.now();
    if (left <= 0) this.#gone();
    else if (left < Number.POSITIVE_INFINITY) this.#silence = setTimeout(() => this.#listen(), left);
  }

  /** The terminal isn't heard any more. A line that is dead may not close for minutes: it is left. */
  #gone(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    clearTimeout(this.#silence);
    this.#silence = undefined;
    socket?.close();
    this.hears.connected(false);
    this.#retry = setTimeout(() => this.#dial(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #dial(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const query = this.#watched.map((pilot) => `watch=${encodeURIComponent(pilot)}`).join("&");
    const dialled = this.#watched.join();
    const socket = new WebSocket(query ? `${this.url}?${query}` : this.url);
    this.#socket = socket;
    this.#expect(SILENCE);
    let whole = false;
    socket.addEventListener("open", () => {
      if (this.#socket !== socket) return;
      this.#expect(PATIENCE);
      // What was watched may have changed while it dialled.
      if (dialled !== this.#watched.join()) this.#tell();
    });
    socket.addEventListener("message", (message: MessageEvent<string>) => {
      if (this.#socket !== socket) return;
      const said = JSON.parse(message.data) as Snapshot | Changes;
      whole ||= said.kind === "snapshot";
      // Changes of what isn't known are none, and no sign that it will be.
      if (!whole) return;
      this.#expect(SILENCE);
      if (said.kind === "snapshot") {
        this.#wait = FIRST_WAIT;
        this.hears.connected(true);
        this.hears.snapshot(said);
      } else this.hears.changes(said);
    });
    socket.addEventListener("close", () => {
      if (this.#socket === socket && !this.#closed.signal.aborted) this.#gone();
    });
  }
}
