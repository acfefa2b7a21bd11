// The page in a real browser, with a lab that is made up: pilots and sessions.
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { serve } from "../mock/serve.mjs";
import { MadeUp } from "./made-up";

const lab = new MadeUp();
const { open } = lab;

const card = (page: Page, name: string) => page.locator(`[data-pilot=${name}]`);
const number = async (page: Page, selector: string) =>
  Number(((await page.locator(selector).textContent()) ?? "").replace(/\D/g, ""));

describe("the lab", () => {
  it("has a card for every pilot, which says what it does", async () => {
    const page = await open();
    expect(await page.locator("[data-pilot]").count()).toBe(6);
    expect(await card(page, "box1").getAttribute("data-state")).toBe("running");
    expect(await card(page, "box6").getAttribute("data-state")).toBe("idle");
    const trials = await number(page, "[data-pilot=box1] [data-trials]");
    await page.waitForFunction(
      (before) => Number(document.querySelector("[data-pilot=box1] [data-trials]")?.textContent) > before,
      trials,
    );
  });

  it("shows a pilot that goes away, without a reload", async () => {
    const page = await open();
    const pilot = lab.mock.lab.pilots.get("box2");
    Object.assign(pilot ?? {}, { here: false, why: "no heartbeat for 3 s" });
    lab.mock.lab.changed(["box2"]);
    await page.waitForSelector("[data-pilot=box2][data-state=away]");
    expect(await card(page, "box2").textContent()).toContain("no heartbeat for 3 s");
    expect(await card(page, "box2").getByRole("button", { name: "Stop" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "need a person" }).click();
    expect(await page.locator("[data-pilot]").count()).toBe(1);
  });

  it("says that the terminal is not heard, and catches up when it is again", async () => {
    const page = await open();
    const { port } = lab.mock;
    await lab.mock.close();
    await page.getByText("The terminal can't be heard").waitFor();
    lab.mock = await serve({ port, pilots: 8, busy: 1 });
    await page.waitForSelector("main[data-connected=true]");
    expect(await page.locator("[data-pilot]").count()).toBe(8);
    expect(await card(page, "box2").getAttribute("data-state")).toBe("idle");
    // That the line broke is said in the console by the browser itself.
    for (const one of lab.seen) one.complaints.length = 0;
  });

  it("asks for what is unusual to be confirmed before it starts a session", async () => {
    const page = await open();
    // A subject that is usually in another box.
    lab.mock.lab.addSubject("M012");
    await card(page, "box5").getByRole("button", { name: "Start a session" }).click();
    await page.getByRole("dialog").getByLabel("Subject").selectOption("M012");
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.getByText("usually in box12").waitFor();
    expect(await page.getByRole("dialog").getByRole("button", { name: "Start" }).isDisabled()).toBe(true);
    await page.getByLabel("This box is right").check();
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.waitForSelector("[data-pilot=box5][data-state=running]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      subject: "M012",
      pilot: "box5",
      confirm: ["other-box"],
    });
  });

  it("asks of each animal anew, whatever was confirmed of another in the same form", async () => {
    const page = await open();
    for (const id of ["M012", "M013"]) lab.mock.lab.addSubject(id);
    await card(page, "box5").getByRole("button", { name: "Start" }).click();
    const form = page.getByRole("dialog");
    const start = form.getByRole("button", { name: "Start" });
    await form.getByLabel("Subject").selectOption("M012");
    await start.click();
    await form.getByLabel("This box is right").check();
    expect(await start.isDisabled()).toBe(false);
    await form.getByLabel("Subject").selectOption("M013");
    await form.getByRole("alert").waitFor({ state: "detached" });
    await start.click();
    await form.getByRole("alert").getByText("M013 is usually in box12").waitFor();
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ subject: "M013", confirm: [] });
    expect(await form.getByLabel("This box is right").isChecked()).toBe(false);
    expect(await start.isDisabled()).toBe(true);
  });

  it("pauses, resumes, rewards and stops", async () => {
    const page = await open();
    const box = card(page, "box1");
    await box.getByRole("button", { name: "Pause" }).click();
    await page.getByLabel("Why").fill("the tube is loose");
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=paused]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ why: "the tube is loose", who: "anna@desk" });
    await box.getByRole("button", { name: "Resume" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=running]");
    await box.getByRole("button", { name: "Reward" }).click();
    await page.getByLabel("Valve").selectOption("valve.right");
    await page.getByLabel("Volume").fill("3.5");
    await page.getByRole("button", { name: "Give it" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      port: { device: "valve", port: "right" },
      volume: 3.5,
    });
    await box.getByRole("button", { name: "Stop" }).click();
    await page.getByLabel("At once").check();
    await page.getByRole("button", { name: "Stop the session" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=idle]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ pilot: "box1", after_trial: false });
    await box.getByText("M001 stopped by anna@desk").waitFor();
  });

  it("says that a session stops when its trial is over, and stops it at once where that is wanted", async () => {
    await lab.mock.close();
    lab.mock = await serve({ pilots: 2, busy: 1, rate: 0 });
    const page = await open();
    const box = card(page, "box1");
    await box.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Stop the session" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=stopping]");
    await box.getByRole("button", { name: "Stop now" }).click();
    expect(await page.getByLabel("At once").isChecked()).toBe(true);
    await page.getByRole("button", { name: "Stop the session" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=idle]");
    expect(lab.mock.asked.map(({ body }) => body.after_trial)).toEqual([true, false]);
  });

  it("shows eighty pilots, and what each of them does", async () => {
    await lab.mock.close();
    lab.mock = await serve({ pilots: 80, busy: 80, rate: 2 });
    const page = await open();
    expect(await page.locator("[data-pilot]").count()).toBe(80);
    const all = () => page.locator("[data-pilot] [data-trials]").allTextContents();
    const before = await all();
    await page.waitForFunction(
      (before) =>
        [...document.querySelectorAll("[data-pilot] [data-trials]")].every(
          (one, place) => one.textContent !== before[place],
        ),
      before,
    );
    expect((await all()).length).toBe(80);
  });
});

describe("a session", () => {
  it("is drawn trial by trial, with its stages and events", async () => {
    const page = await open("/pilots/box1");
    await page.waitForSelector("[data-plot=points]");
    const kinds = await page
      .locator("[data-plot]")
      .evaluateAll((all) => all.map((one) => one.getAttribute("data-plot")));
    expect(kinds).toEqual(["points", "rolling_mean", "psychometric", "line", "raster", "stream"]);
    const newest = () => page.locator("[data-plot=points]").getAttribute("data-newest").then(Number);
    const before = await newest();
    await page.waitForFunction(
      (before) =>
        Number(document.querySelector("[data-plot=points]")?.getAttribute("data-newest")) > before + 2,
      before,
    );
    expect(Number(await page.locator("[data-plot=raster]").getAttribute("data-lines"))).toBeGreaterThan(10);
    // Something is painted in the plot.
    const painted = await page.locator("[data-plot=points] canvas").evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const data =
        (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
      return data.some((value) => value > 0);
    });
    expect(painted).toBe(true);
    const lit = await page.locator(".graph").getAttribute("data-active");
    expect(["ready", "choose", "reward", "timeout"]).toContain(lit);
    expect(await page.locator(".log tbody tr").count()).toBeGreaterThan(20);
  });

  it("shows every input and output of its task, the valves too", async () => {
    const page = await open("/pilots/box1");
    await page.waitForSelector("[data-plot=raster]");
    const shown = await page
      .getByRole("group", { name: "Which are shown" })
      .locator("label")
      .allTextContents();
    expect(shown.map((text) => text.trim())).toEqual(
      ["poke", "light", "valve"].flatMap((device) =>
        ["left", "center", "right"].map((port) => `${device}.${port}`),
      ),
    );
  });

  it("is seen in the part that somebody chose, while trials come", async () => {
    const page = await open("/pilots/box1");
    const plot = page.locator("[data-plot=line]");
    await plot.locator("canvas").waitFor();
    const box = await plot.locator(".u-over").boundingBox();
    if (!box) throw new Error("the plot is not shown");
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    const part = () =>
      plot.locator(".chart").evaluate((one) => [one.getAttribute("data-from"), one.getAttribute("data-to")]);
    const chosen = await part();
    expect(chosen[0]).not.toBe(null);
    const ticks = async () =>
      plot.locator("canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const newest = Number(await plot.getAttribute("data-newest"));
    const before = await ticks();
    await page.mouse.move(0, 0);
    await page.waitForFunction(
      (then) => Number(document.querySelector("[data-plot=line]")?.getAttribute("data-newest")) > then + 2,
      newest,
    );
    expect(await part()).toEqual(chosen);
    expect(await ticks(), "what is drawn is the same part").toBe(before);
    await plot.getByRole("button", { name: "All" }).click();
    expect(await part()).toEqual([null, null]);
  });

  it("says what a trial was where the mouse is over it", async () => {
    const page = await open("/pilots/box1");
    const over = page.locator("[data-plot=points] .u-over");
    await over.hover({ position: { x: 200, y: 40 } });
    const words = page.locator("[data-plot=points] .chart p");
    await words.getByText(/^trial \d+: target (left|right), response/).waitFor();
  });

  it("stays in sight when it is over, with how it ended and what can be done next", async () => {
    const page = await open("/pilots/box1");
    await page.waitForSelector("[data-plot=points]");
    lab.mock.lab.end("box1", { ending: "done", why: "the subject graduated", graduated: true });
    lab.mock.lab.changed(["box1"]);
    let asked = 0;
    page.on("request", (request) => {
      if (new URL(request.url()).pathname === "/api/v1/subjects/M001") asked += 1;
    });
    const line = page.locator("[data-ended]");
    await line
      .getByText(/M001, 2 cued_choice: graduated; \d+ trials, \d+.% correct; ended \d\d:\d\d/)
      .waitFor();
    expect(await page.locator("[data-plot=points]").count()).toBe(1);
    await line.getByRole("link", { name: /^Session \d+$/ }).waitFor();
    await line.getByRole("link", { name: "Report" }).waitFor();
    // Whatever else is told of the pilot changes nothing of it.
    const before = asked;
    Object.assign(lab.mock.lab.pilots.get("box1") ?? {}, { unacknowledged: 3 });
    lab.mock.lab.changed(["box1"]);
    await page.getByRole("cell", { name: "3", exact: true }).waitFor();
    expect(await line.getByRole("link", { name: "Report" }).count()).toBe(1);
    expect(asked).toBe(before);
    await line.getByRole("button", { name: "Start the next" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).waitFor();
    await page.goto(lab.mock.url);
    await card(page, "box1")
      .getByText(/ended \d\d:\d\d:\d\d: M001 graduated/)
      .waitFor();
  });

  it("takes a live parameter and a message", async () => {
    const page = await open("/pilots/box1");
    await page.getByRole("spinbutton", { name: "reward in µL" }).fill("5");
    await page.getByRole("button", { name: "Set" }).click();
    await page.waitForFunction(() => document.querySelector(".sayings button") !== null);
    expect(lab.mock.asked.at(-1)).toMatchObject({
      path: "/subjects/M001/parameter",
      body: { name: "reward", value: "5 uL" },
    });
    await page.getByRole("button", { name: "help_animal" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".sayings button").length === 2);
    expect(lab.mock.asked.at(-1)).toMatchObject({
      path: "/subjects/M001/message",
      body: { name: "help_animal" },
    });
  });
});
