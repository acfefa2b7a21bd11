/** Which page is shown: the address says it, so that it can be sent and gone back to. */

class Router {
  path = $state(globalThis.location?.pathname ?? "/");

  constructor() {
    globalThis.addEventListener?.("popstate", () => {
      this.path = location.pathname;
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
    if (path !== this.path) history.pushState(null, "", path);
    this.path = path;
    globalThis.scrollTo?.(0, 0);
  }

  /** The parts of the path: `/subjects/M001` is `["subjects", "M001"]`. */
  get parts(): string[] {
    return this.path
      .split("/")
      .filter((part) => part !== "")
      .map((part) => decodeURIComponent(part));
  }
}

export const router = new Router();
