/** The terminal's API: asks, and tells a refusal as the terminal said it. */

const BASE = "/api/v1";

/** What a person may confirm about a start. */
export type Unusual = "second-today" | "other-box" | "unweighed" | "underweight" | "behind" | "simulated";

/** Why something was not done, and what to do about it. */
export class Refusal extends Error {
  override name = "Refusal";

  constructor(
    message: string,
    readonly status: number,
    readonly help: string | null = null,
    readonly confirm: Unusual[] = [],
  ) {
    super(message);
  }
}

let loggedOut = () => {};

/** Calls when the terminal answers that nobody is logged in. */
export function onLoggedOut(call: () => void): void {
  loggedOut = call;
}

async function send(path: string, how: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { credentials: "same-origin", ...how });
  } catch {
    throw new Refusal("the terminal can't be reached", 0, "see whether bramble-terminal serve runs");
  }
  if (response.ok) return response;
  if (response.status === 401) loggedOut();
  let said: { message?: string; help?: string; confirm?: Unusual[] } = {};
  try {
    said = (await response.json()) as typeof said;
  } catch {
    // Whoever answered was not the terminal.
  }
  throw new Refusal(
    said.message ?? `the terminal answered ${response.status}`,
    response.status,
    said.help ?? null,
    said.confirm ?? [],
  );
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  const said = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  return (await send(path, { method, ...said })).json() as Promise<T>;
}

/** Downloads what is at a path, once the terminal is found to give it. Throws a {@link Refusal}. */
export async function download(path: string): Promise<void> {
  const stop = new AbortController();
  await send(path, { signal: stop.signal });
  // The browser fetches it itself, so that however long it is it goes to the disk.
  stop.abort();
  const link = document.createElement("a");
  link.href = BASE + path;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Asks for what is at a path. Throws a {@link Refusal}. */
export function get<T>(path: string): Promise<T> {
  return ask<T>("GET", path);
}

/** Asks for something to be done, and returns what was done in a sentence. Throws a {@link Refusal}. */
export async function act(path: string, body: unknown): Promise<string> {
  return (await ask<{ done: string }>("POST", path, body)).done;
}

/** As {@link get}, with something to look at. */
export function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>("POST", path, body);
}

/** Where a download or another page of the terminal is. */
export function url(path: string): string {
  return BASE + path;
}

/** A path with parts that people named. */
export function at(parts: TemplateStringsArray, ...names: (string | number)[]): string {
  return String.raw({ raw: parts }, ...names.map((name) => encodeURIComponent(name)));
}
