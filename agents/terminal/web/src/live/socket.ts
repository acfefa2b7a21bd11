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

export class Line {
  #socket: WebSocket | undefined;
  #wait = FIRST_WAIT;
  #retry: ReturnType<typeof setTimeout> | undefined;
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
    this.#retry = undefined;
    this.#socket?.close();
  }

  #tell(): void {
    this.#socket?.send(JSON.stringify({ watch: this.#watched }));
  }

  #now(): void {
    if (this.#retry === undefined) return;
    this.#wait = FIRST_WAIT;
    this.#dial();
  }

  #dial(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const query = this.#watched.map((pilot) => `watch=${encodeURIComponent(pilot)}`).join("&");
    const dialled = this.#watched.join();
    const socket = new WebSocket(query ? `${this.url}?${query}` : this.url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      // What was watched may have changed while it dialled.
      if (dialled !== this.#watched.join()) this.#tell();
    });
    socket.addEventListener("message", (message: MessageEvent<string>) => {
      const said = JSON.parse(message.data) as Snapshot | Changes;
      if (said.kind === "snapshot") {
        this.#wait = FIRST_WAIT;
        this.hears.connected(true);
        this.hears.snapshot(said);
      } else this.hears.changes(said);
    });
    socket.addEventListener("close", () => {
      if (this.#socket !== socket || this.#closed.signal.aborted) return;
      this.hears.connected(false);
      this.#retry = setTimeout(() => this.#dial(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    });
  }
}
