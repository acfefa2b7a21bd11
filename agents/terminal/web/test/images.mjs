// The book's pictures of the page, with a lab that is made up: `node test/images.mjs FOLDER`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./mock/serve.mjs";

const PICTURES = [
  { name: "page-lab", path: "/", width: 1280, height: 800 },
  { name: "page-session", path: "/pilots/box1", width: 1280, height: 1180 },
  { name: "page-recorded", path: "/subjects/M005/sessions/11", width: 1280, height: 1180 },
  {
    name: "page-subjects",
    path: "/subjects",
    width: 1280,
    height: 760,
    check: "All that are shown",
    press: "Weigh",
  },
  { name: "page-subject", path: "/subjects/M005", width: 1280, height: 900 },
  { name: "page-task", path: "/tasks/cued_choice", width: 1280, height: 900, press: "Simulate" },
  { name: "page-phone", path: "/", width: 390, height: 760, colorScheme: "dark" },
];

const folder = process.argv[2];
if (!folder) throw new Error("say the folder that the pictures go to");
mkdirSync(folder, { recursive: true });

const mock = await serve({ pilots: 12, busy: 9, rate: 1 });
const { pilots } = mock.lab;
pilots.get("box3").session.hold = { since: { seconds: 3 } };
Object.assign(pilots.get("box11"), { here: false, why: "no heartbeat for 3 s" });

const browser = await chromium.launch({
  executablePath: process.env.BRAMBLE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const { name, path, width, height, check, press, colorScheme = "light" } of PICTURES) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(mock.url + path);
  await page.waitForSelector("main[data-connected=true]");
  if (check) await page.getByLabel(check).check();
  if (press) {
    await page.getByRole("button", { name: press, exact: true }).first().click();
    await page.waitForSelector("[data-simulated], dialog[open]");
  }
  // What is drawn is drawn in the next frames.
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}
await browser.close();
await mock.close();
