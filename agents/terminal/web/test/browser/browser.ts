/** A browser that looks at the page, and what it said on its console. */

import { type Browser, chromium, type Locator, type Page } from "playwright-core";

export interface Looking {
  page: Page;
  /** What went wrong in the page: errors, and what it complained of. */
  complaints: string[];
  close(): Promise<void>;
}

export function launch(): Promise<Browser> {
  const executablePath = process.env.BRAMBLE_CHROMIUM ?? "/usr/bin/chromium";
  // As root, Chromium has no sandbox.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

export interface View {
  width?: number;
  height?: number;
  dark?: boolean;
  touch?: boolean;
  /** The time zone that its computer is set to. */
  zone?: string;
  /** Whether the page asks for a login first. */
  login?: boolean;
}

/** Opens the page at an address and waits until it hears the terminal, or asks for a login. */
export async function look(browser: Browser, url: string, view: View = {}): Promise<Looking> {
  const { width = 1360, height = 860, dark = false, touch = false, login = false, zone } = view;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    hasTouch: touch,
    // With a finger, and not a mouse, to point with.
    isMobile: touch,
    locale: "en-US",
    ...(zone ? { timezoneId: zone } : {}),
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // That a request was refused is no mistake of the page, which says why.
    const refused = /Failed to load resource: the server responded with a status of (401|403|409|422)/.test(
      message.text(),
    );
    if (["error", "warning"].includes(message.type()) && !refused) complaints.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector(login ? "input[type=password]" : "main[data-connected=true]");
  return { page, complaints, close: () => context.close() };
}

/** Puts a value into a field, whether it has a list to choose from or is typed into. */
export async function fill(field: Locator, value: string): Promise<void> {
  await field.waitFor();
  if (await field.evaluate((one) => one.tagName === "SELECT")) await field.selectOption(value);
  else await field.fill(value);
}
