// The page in a real browser, with a terminal and pilots as a lab has them. It needs the programs:
// BRAMBLE_BIN is the folder that they are in.
import { readdir, readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fill, type Looking, launch, look } from "./browser";
import { type Swarm, swarm } from "./swarm";

const bin = process.env.BRAMBLE_BIN;
const PROTOCOL = "protocols/water_to_choice.star";

describe.skipIf(!bin)("a lab", () => {
  let browser: Browser;
  let lab: Swarm;
  let looking: Looking;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    lab = await swarm(bin ?? "", ["box1", "box2"], 20);
    looking = await look(browser, `${lab.url}/`);
    page = looking.page;
  });

  afterAll(async () => {
    await browser.close();
    await lab.end();
  });

  const dialog = () => page.getByRole("dialog");
  const done = () => page.waitForSelector("dialog", { state: "detached" });

  it("comes at once, small and packed", async () => {
    await page.waitForSelector("[data-pilot=box2][data-state=idle]");
    const painted = () => performance.getEntriesByName("first-contentful-paint").length > 0;
    await page.waitForFunction(painted);
    const [bytes, milliseconds] = await page.evaluate(() => {
      const all = [
        ...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource"),
      ];
      const sizes = all.map((entry) => (entry as PerformanceResourceTiming).transferSize);
      return [
        sizes.reduce((sum, one) => sum + one, 0),
        performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      ];
    });
    expect(bytes).toBeLessThan(300_000);
    expect(milliseconds).toBeGreaterThan(0);
  });

  it("takes a subject, puts it on a protocol, and weighs it", async () => {
    await page.getByRole("link", { name: "Subjects" }).click();
    await page.getByRole("button", { name: "Add a subject" }).click();
    await dialog().getByLabel("Name", { exact: false }).first().fill("M001");
    await dialog().getByLabel("Species").fill("Mus musculus");
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    const line = page.locator("[data-subject=M001]");
    await line.getByRole("button", { name: "Assign" }).click();
    await fill(dialog().getByLabel("Protocol"), `${lab.tasks}/${PROTOCOL}`);
    await dialog().getByRole("button", { name: "Assign" }).click();
    await line.getByText("1 free_water").waitFor();
    await line.getByRole("button", { name: "Weigh" }).click();
    await dialog().getByLabel("Weight").fill("24.5");
    await dialog().getByRole("button", { name: "Write it down" }).click();
    await done();
    await line.getByRole("link").click();
    await page.getByText("24.5").first().waitFor();
  });

  it("writes down who did it, by a name as people write it", async () => {
    await page.getByTitle("Who you are").click();
    await dialog().getByLabel("Your name").fill("\u00c9lodie Jane Doe");
    await dialog().getByRole("button", { name: "Keep" }).click();
    await done();
    await page.getByRole("button", { name: "Note", exact: true }).click();
    await dialog().getByLabel("Note").fill("calm today");
    await dialog().getByRole("button", { name: "Write it down" }).click();
    await done();
    await page
      .getByRole("listitem")
      .filter({ hasText: "calm today" })
      .getByText("\u00c9lodie Jane Doe")
      .waitFor();
  });

  it("starts a session, whose trials arrive in the plot, and graduates", async () => {
    await page.getByRole("button", { name: "Start" }).click();
    await dialog().getByRole("combobox", { name: "Pilot" }).selectOption("box1");
    await dialog().getByRole("button", { name: "Start" }).click();
    await done();
    await page.getByRole("link", { name: "Lab", exact: true }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=running]");
    await page.getByRole("link", { name: "box1", exact: true }).click();
    await page.locator("h1").getByText("box1").waitFor();
    // After the free water comes the next step, by itself.
    await page.locator("header").first().getByText("2 cued_choice").waitFor({ timeout: 60_000 });
    await page.locator("[data-ended]").getByText("M001, 1 free_water: graduated;").waitFor();
    await page.waitForSelector("[data-plot=rolling_mean]", { timeout: 60_000 });
    const newest = "[data-plot=rolling_mean]";
    const trials = (least: number) =>
      page.waitForFunction(
        ([one, least]) =>
          Number(document.querySelector(one as string)?.getAttribute("data-newest")) >= Number(least),
        [newest, least],
        { timeout: 60_000 },
      );
    await trials(5);
    const before = Number(await page.locator(newest).getAttribute("data-newest"));
    await trials(before + 3);
    expect(await page.locator("header").first().textContent()).toContain("2 cued_choice");
    expect(Number(await page.locator("[data-plot=raster]").getAttribute("data-lines"))).toBeGreaterThan(0);
    await page.waitForFunction(() => document.querySelector(".graph .leaf.lit") !== null);
  });

  it("gives water by hand, and stops", async () => {
    await page.getByRole("button", { name: "Reward", exact: true }).click();
    await dialog().getByRole("button", { name: "Give it" }).click();
    await done();
    await page.getByRole("button", { name: "Stop" }).click();
    await dialog().getByRole("button", { name: "Stop the session" }).click();
    await done();
    await page.getByRole("button", { name: "Start a session" }).waitFor();
    // What it was is still there, with how it ended.
    await page.locator("[data-ended]").getByText("M001, 2 cued_choice: stopped by").waitFor();
    expect(await page.locator("[data-plot=rolling_mean]").count()).toBe(1);
    await page.locator("[data-ended]").getByRole("link", { name: "Session 2" }).waitFor();
    await page.goto(`${lab.url}/subjects/M001`);
    await page.waitForSelector("[data-session='2']");
  });

  it("shows the session that is over as it was, with its log", async () => {
    await page.getByRole("link", { name: "Session 2", exact: true }).click();
    await page.getByRole("heading", { name: "Session 2" }).waitFor();
    const trials = Number((await page.locator("dl [data-trials]").textContent())?.replace(/\D/g, ""));
    const plot = page.locator("[data-plot=rolling_mean]");
    await plot.waitFor();
    expect(Number(await plot.getAttribute("data-points"))).toBe(trials);
    expect(Number(await page.locator("[data-plot=raster]").getAttribute("data-lines"))).toBeGreaterThan(0);
    await page.getByRole("list", { name: "What happened" }).getByText("µL of water by hand").waitFor();
  });

  it("exports it", async () => {
    await page.getByRole("button", { name: "Export" }).click();
    await dialog().getByLabel("NWB").check();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      dialog().getByRole("button", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("M001-0002.nwb");
    const begins = (await readFile(await download.path())).subarray(1, 4).toString();
    expect(begins).toBe("HDF");
    await done();
    await page.getByRole("link", { name: "M001", exact: true }).click();
    await page.waitForSelector("[data-session='2']");
  });

  it("changes a protocol in a form, whose subjects stay at their steps", async () => {
    const before = await readFile(`${lab.tasks}/${PROTOCOL}`, "utf8");
    await page.getByRole("link", { name: "Protocols" }).click();
    await page.locator("[data-protocol='water to choice']").getByRole("button", { name: "Edit" }).click();
    const second = dialog().getByRole("group", { name: "Step 2" });
    await second.getByText("Here now: M001").waitFor();
    expect(await second.getByLabel("Task").inputValue()).toBe(`${lab.tasks}/cued_choice.star`);
    await second.getByRole("button", { name: "move up" }).click();
    await dialog().getByRole("button", { name: "Save" }).click();
    await done();
    const kept = (await readdir(`${lab.tasks}/protocols`)).filter((name) => name.includes(".star."));
    expect(kept.length).toBe(1);
    expect(await readFile(`${lab.tasks}/protocols/${kept[0]}`, "utf8")).toBe(before);
    await page.getByRole("link", { name: "Subjects" }).click();
    await page.locator("[data-subject=M001]").getByText("1 cued_choice").waitFor();
    await page.locator("[data-subject=M001] a").first().click();
    await page.getByText("Its step was 2 cued_choice before the protocol was changed.").waitFor();
  });

  it("asks before another session of the same day", async () => {
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await dialog().getByRole("combobox", { name: "Pilot" }).selectOption("box2");
    await dialog().getByRole("button", { name: "Start" }).click();
    await page.getByLabel("Another session today is right").check();
    await page.getByLabel("This box is right").check();
    await dialog().getByRole("button", { name: "Start" }).click();
    await done();
    await page.getByRole("listitem").filter({ hasText: "step renumbered" }).waitFor();
    await page.goto(`${lab.url}/`);
    await page.waitForSelector("[data-pilot=box2][data-state=running]");
    await page.locator("[data-pilot=box2]").getByText("1 cued_choice").waitFor();
  });

  it("shows a pilot that was killed", async () => {
    lab.kill("box2");
    await page.waitForSelector("[data-pilot=box2][data-state=away]", { timeout: 30_000 });
    expect(await page.locator("[data-pilot=box1]").getAttribute("data-state")).toBe("idle");
  });

  it("has complained of nothing in the console", () => {
    expect(looking.complaints).toEqual([]);
  });
});
