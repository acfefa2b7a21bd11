/** Which page is shown: the address says it, so that it can be sent and gone back to. */

/** What is asked before what was typed is thrown away. */
const LOST = "What you typed here is not kept anywhere, and would be lost. Leave it?";

class Router {
  path = $state(globalThis.location?.pathname ?? "/");
  /** What says whether something was typed that would be lost. */
  #typed = new Set<() => boolean>();

  constructor() {
    globalThis.addEventListener?.("popstate", () => {
      if (location.pathname === this.path) return;
      if (this.#stays()) history.pushState(null, "", this.path);
      else this.path = location.pathname;
    });
    globalThis.addEventListener?.("beforeunload", (event) => {
      if ([...this.#typed].some((typed) => typed())) event.preventDefault();
    });
    // Links of the page lead within it.
    globalThis.document?.addEventListener("click", (event) => {
      const link = (event.target as Element | null)?.closest?.("a[href]");
      if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute("download"))
        return;
      const to = new URL(link.href);
      if (to.origin !== location.origin || to.pathname.startsWith("/api/")) return;
      event.preventDefault();
      this.go(to.pathname);
    });
  }

  go(path: string): void {
    if (path !== this.path && this.#stays()) return;
    if (path !== this.path) history.pushState(null, "", path);
    this.path = path;
    globalThis.scrollTo?.(0, 0);
  }

  /** Asks before another page is shown while `typed`, until what is returned is called. */
  leaving(typed: () => boolean): () => void {
    this.#typed.add(typed);
    return () => this.#typed.delete(typed);
  }

  /** Whether a person, who is asked, wouldn't lose what they typed. */
  #stays(): boolean {
    return [...this.#typed].some((typed) => typed()) && !leaves();
  }

  /** The parts of the path: `/subjects/M001` is `["subjects", "M001"]`. */
  get parts(): string[] {
    return this.path
      .split("/")
      .filter((part) => part !== "")
      .map(decoded);
  }
}

/** Asks whether what was typed may be lost. */
export function leaves(): boolean {
  return confirm(LOST);
}

/** A part as it was before it was written into an address; as it is where no page wrote it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const router = new Router();
