// What `scripts/bench ui` measures in a browser: `node test/bench.mjs URL SECONDS STARTED PILOTS`,
// where box0's session started at STARTED, in milliseconds since 1970. Each line it prints is a word
// and what was measured.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import WebSocket from "ws";

const [url, seconds, started, pilots] = process.argv.slice(2);
const told = once(createInterface({ input: process.stdin }), "line");
const browser = await chromium.launch({
  executablePath: process.env.BRAMBLE_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

/** A page of a browser that was never here. */
async function open(path) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
  const page = await context.newPage();
  const transferred = { bytes: 0 };
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    transferred.bytes += encodedDataLength;
  });
  const begun = Date.now();
  await page.goto(url.replace(/\/$/, "") + path);
  if (path !== "/") await page.waitForSelector("[data-plot]");
  else
    await page.waitForFunction(
      (pilots) => document.querySelectorAll("[data-pilot] [data-trials]").length === pilots,
      Number(pilots),
    );
  return { page, transferred, seconds: (Date.now() - begun) / 1e3 };
}

/** How many frames a page draws in a second, and how old each event is when it is drawn. */
function keepsUp({ page }) {
  return page.evaluate(
    async ([seconds, started]) => {
      const delays = [];
      const newest = document.querySelector(".log tbody");
      let seen = Number.POSITIVE_INFINITY;
      const look = () => {
        const times = [...newest.rows].map((row) => Number(row.cells[0].textContent));
        const fresh = times.filter((time) => time > seen);
        seen = Math.max(...times);
        // A task after a frame begins when that has been drawn.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => {
            const now = Date.now();
            for (const time of fresh) delays.push(now - (started + time * 1e3));
            port1.close();
          };
          port2.postMessage(0);
        });
      };
      const observer = new MutationObserver(look);
      if (newest) {
        seen = Number(newest.rows[0]?.cells[0].textContent ?? 0);
        observer.observe(newest, { childList: true, subtree: true, characterData: true });
      }
      const begun = performance.now();
      let frames = 0;
      let now = begun;
      while (now - begun < seconds * 1e3) {
        now = await new Promise(requestAnimationFrame);
        frames += 1;
      }
      observer.disconnect();
      return { delays, frames: (frames * 1e3) / (now - begun) };
    },
    [Number(seconds), Number(started)],
  );
}

const firsts = [];
for (let run = 0; run < 5; run += 1) {
  const { page, transferred, seconds } = await open("/");
  firsts.push({ kilobytes: transferred.bytes / 1e3, seconds });
  await page.context().close();
}
firsts.sort((one, other) => one.seconds - other.seconds);
console.log(`first ${JSON.stringify(firsts[2])}`);

for (const path of ["/pilots/box0", "/"]) {
  const opened = await open(path);
  // What it does at first is over then.
  await opened.page.waitForTimeout(1_000);
  console.log(`watched ${JSON.stringify(await keepsUp(opened))}`);
  await opened.page.context().close();
}

await browser.close();

// Ten browsers on a computer of this size would take from the terminal what it would use: what
// they hear from it is heard here, and not drawn.
const live = `${url.replace(/^http/, "ws").replace(/\/$/, "")}/api/v1/live`;
for (let page = 0; page < 10; page += 1) {
  const socket = new WebSocket(page === 0 ? `${live}?watch=box0` : live);
  await once(socket, "message");
}
console.log("ten");
await told;
console.log("closed");
process.exit();
