// The page in a real browser, with a lab that is made up: pilots, sessions and subjects.
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { serve } from "../mock/serve.mjs";
import { fill } from "./browser";
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

describe("subjects", () => {
  it("are added with a biography, weighed, and put on a protocol", async () => {
    const page = await open("/subjects");
    await page.getByRole("button", { name: "Add a subject" }).click();
    await page.getByLabel("Name", { exact: false }).first().fill("R007");
    await page.getByLabel("Species").fill("Rattus norvegicus");
    await page.getByLabel("Born").fill("2026-09-01");
    await page.getByLabel("Sex").selectOption("female");
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    await page.waitForSelector("[data-subject=R007]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      id: "R007",
      biography: { species: "Rattus norvegicus", sex: "female", birth: "2026-09-01" },
    });
    await page.locator("[data-subject=R007]").getByRole("button", { name: "Assign" }).click();
    await fill(page.getByRole("dialog").getByLabel("Protocol"), "/lab/protocols/water_to_choice.star");
    await fill(page.getByRole("dialog").getByLabel("Step"), "2");
    await page.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
    await page.locator("[data-subject=R007]").getByText("2 cued_choice").waitFor();
    await page.locator("[data-subject=R007] a").click();
    await page.getByRole("button", { name: "Weigh" }).click();
    await page.getByLabel("Weight").fill("24.3");
    await page.getByRole("button", { name: "Write it down" }).click();
    await page.getByText("24.3").first().waitFor();
    expect(lab.mock.asked.at(-1)).toMatchObject({
      path: "/subjects/R007/weights",
      body: { mass: 24.3, occasion: "before" },
    });
  });

  it("are asked about again where a weight or water can hardly be", async () => {
    const page = await open("/subjects/M001");
    await page.getByRole("button", { name: "Weigh" }).click();
    const form = page.getByRole("dialog");
    const write = form.getByRole("button", { name: "Write it down" });
    await form.getByRole("spinbutton").fill("250");
    await form.getByText("far from its last weight").waitFor();
    expect(await write.isDisabled()).toBe(true);
    await form.getByLabel("It is right").check();
    expect(await write.isDisabled()).toBe(false);
    // Another weight is another doubt.
    await form.getByRole("spinbutton").fill("251");
    expect(await form.getByLabel("It is right").isChecked()).toBe(false);
    await form.getByRole("spinbutton").fill("23.9");
    await write.click();
    await page.waitForSelector("dialog", { state: "detached" });
    await page.getByRole("button", { name: "Water by hand" }).click();
    await form.getByRole("spinbutton").fill("100");
    await form.getByText("3 times what it is to have in a day").waitFor();
    expect(await write.isDisabled()).toBe(true);
  });

  it("have plots that are right from the first day on", async () => {
    const { subjects } = lab.mock.lab;
    const weights = (id: string) => (subjects.get(id) as unknown as { weights: unknown[] }).weights;
    const sessions = (id: string) => subjects.get(id)?.sessions ?? [];
    weights("M004").splice(1);
    sessions("M004").splice(1);
    for (const [place, one] of sessions("M005").entries())
      if (one.protocol) one.protocol.step = place < 4 ? "long_hold" : "short_hold";
    const page = await open("/subjects");
    // What is written into plots, since it can't be read from them.
    await page.evaluate(() => {
      const drawn: string[] = [];
      const pen = CanvasRenderingContext2D.prototype;
      const { fillText } = pen;
      pen.fillText = function (text, ...where) {
        drawn.push(text);
        fillText.call(this, text, ...where);
      };
      Object.assign(window, { drawn });
    });
    const drawn = () => page.evaluate(() => (window as unknown as { drawn: string[] }).drawn.splice(0));
    await page.locator("[data-subject=M004] a").first().click();
    await page.getByRole("img", { name: "Weight over time: 1 weighing" }).waitFor();
    await page.getByRole("img", { name: "Share correct and trials of 1 session" }).waitFor();
    const first: string[] = [];
    await expect.poll(async () => first.push(...(await drawn()))).toBeGreaterThan(8);
    // A day, by its hours: not years by their days.
    expect(first.filter((text) => /^\d\d:\d\d$/.test(text)).length).toBeGreaterThan(2);
    expect(new Set(first.filter((text) => /^\d\d-\d\d$/.test(text))).size).toBeLessThanOrEqual(2);
    expect(first.filter((text) => /^\d+$/.test(text) && Number(text) < 5)).not.toContain("2");
    await page.getByRole("link", { name: "Subjects" }).click();
    await page.locator("[data-subject=M005] a").first().click();
    const steps: string[] = [];
    await expect.poll(async () => steps.push(...(await drawn())) && steps.includes("short_hold")).toBe(true);
    expect(steps).toContain("long_hold");
  });

  it("have limits that are seen where they are set, and can be taken back", async () => {
    const page = await open("/subjects/M001");
    await page.getByRole("button", { name: "Set limits and targets" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Weight limit").waitFor();
    expect(await form.getByLabel("Weight limit").inputValue()).toBe("85");
    expect(await form.getByLabel("Water in a day").inputValue()).toBe("1.2");
    await form.getByText("its first weight").waitFor();
    expect(await form.getByRole("button", { name: "Set" }).isDisabled()).toBe(true);
    await form.getByLabel("Weight limit").fill("");
    await form.getByLabel("Water in a day").fill("1.5");
    await form.getByRole("button", { name: "Set" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)).toEqual({
      path: "/subjects/M001/care",
      body: { limit: null, target: 1500, who: "anna@desk" },
    });
  });

  it("are sorted, found, and assigned together", async () => {
    const page = await open("/subjects");
    await page.waitForSelector("[data-subject=M001]");
    const ids = () =>
      page.locator("[data-subject]").evaluateAll((all) => all.map((one) => one.getAttribute("data-subject")));
    await page.getByRole("button", { name: "subject", exact: true }).click();
    expect((await ids())[0]).toBe("M006");
    await page.getByLabel("Find a subject or step").fill("cued");
    expect(await ids()).toEqual(["M004", "M001"]);
    await page.getByLabel("All that are shown").check();
    await page
      .getByRole("group", { name: "With those that are chosen" })
      .getByRole("button", { name: "Assign" })
      .click();
    await fill(page.getByRole("dialog").getByLabel("Protocol"), "/lab/protocols/water_to_choice.star");
    await fill(page.getByRole("dialog").getByLabel("Step"), "3");
    await page.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)).toMatchObject({
      path: "/subjects/assign",
      body: { subjects: ["M004", "M001"], step: 3 },
    });
    await page.getByLabel("Find a subject or step").fill("");
    await page.locator("[data-subject=M001]").getByText("3 two_choice").waitFor();
  });

  it("are weighed and noted together, down a column of grams", async () => {
    const page = await open("/subjects");
    await page.waitForSelector("[data-subject=M001]");
    await page.getByLabel("All that are shown").check();
    const batch = page.getByRole("group", { name: "With those that are chosen" });
    await batch.getByRole("button", { name: "Weigh" }).click();
    // Typed and Enter, one after the other; the third isn't there today.
    await page.getByLabel("Weight of M001 in g").focus();
    await page.keyboard.type("24.1");
    await page.keyboard.press("Enter");
    await page.keyboard.type("25.2");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.keyboard.type("9");
    await page.locator("[data-weigh=M004]").getByText("is it right?").waitFor();
    await page.keyboard.type("9");
    const write = page.getByRole("button", { name: "Write 3 down" });
    await page.getByLabel("M004: 99").waitFor();
    expect(await write.isDisabled()).toBe(true);
    await page.getByLabel("M004: 99").check();
    await write.click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.slice(-3)).toMatchObject([
      { path: "/subjects/M001/weights", body: { mass: 24.1 } },
      { path: "/subjects/M002/weights", body: { mass: 25.2 } },
      { path: "/subjects/M004/weights", body: { mass: 99 } },
    ]);
    await page.locator("[data-subject=M001]").getByText("24.1").waitFor();
    await batch.getByRole("button", { name: "Note" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("new bedding");
    await page.getByRole("button", { name: "Write it down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.filter(({ body }) => body.text === "new bedding").length).toBe(6);
  });

  it("are filtered by what they need today", async () => {
    const page = await open("/subjects");
    await page.waitForSelector("[data-subject=M001]");
    const filters = page.getByRole("group", { name: "Which subjects" });
    await filters.getByRole("button", { name: "in a session" }).click();
    expect(await page.locator("[data-subject]").count()).toBe(3);
    await filters.getByRole("button", { name: "all" }).click();
    expect(await page.locator("[data-subject]").count()).toBe(6);
  });

  it("show a session that is over as it was, with its log", async () => {
    const page = await open("/subjects/M001");
    await page.getByRole("link", { name: "Session 5", exact: true }).click();
    await page.getByRole("heading", { name: "Session 5" }).waitFor();
    const trials = await number(page, "dl [data-trials]");
    expect(await page.locator("dl [data-score]").textContent()).toBe("9 of 10");
    await page.waitForSelector("[data-plot=points]");
    expect(Number(await page.locator("[data-plot=points]").getAttribute("data-points"))).toBe(trials);
    expect(await page.locator("[data-plot=psychometric]").count()).toBe(1);
    expect(Number(await page.locator("[data-plot=raster]").getAttribute("data-lines"))).toBeGreaterThan(10);
    expect(await page.locator(".graph").count()).toBe(1);
    const log = page.getByRole("list", { name: "What happened" });
    await log.getByText("licks the tube from the side").waitFor();
    expect(await log.textContent()).toContain("4 µL of water by hand");
  });

  it("look through all trials of a session that is over", async () => {
    const page = await open("/subjects/M001/sessions/5");
    const part = page.locator("nav[aria-label='Trials that are shown'] span");
    await part.waitFor();
    const shown = async () => [
      Number(await part.getAttribute("data-first")),
      Number(await part.getAttribute("data-last")),
    ];
    const trials = await number(page, "dl [data-trials]");
    expect(await shown()).toEqual([trials - 29, trials]);
    const seen = new Set<number>();
    for (;;) {
      const [first = 0, last = 0] = await shown();
      for (let trial = first; trial <= last; trial += 1) seen.add(trial);
      await page.waitForSelector("[data-plot=raster][data-lines='30']");
      if (first === 1) break;
      await page.getByRole("button", { name: "Earlier" }).click();
      await page.waitForSelector(`nav[aria-label='Trials that are shown'] span:not([data-first='${first}'])`);
    }
    expect(seen.size, "every trial can be seen").toBe(trials);
    expect(Number(await page.locator("[data-plot=points]").getAttribute("data-points"))).toBe(trials);
    const points = page.locator("[data-plot=points]");
    expect(await points.getAttribute("data-shown"), "more points are a smear").toBe("100");
    await points.getByRole("button", { name: `All ${trials}` }).click();
    expect(await points.getAttribute("data-shown")).toBe(String(trials));
    await page.getByRole("button", { name: "Later" }).click();
    await page.waitForSelector("nav span[data-first='31']");
    await page.getByLabel("trial", { exact: true }).fill("80");
    await page.getByRole("button", { name: "Go" }).click();
    await page.waitForSelector("nav span[data-first='65']");
    // What was measured is that of these trials.
    const label = await page.locator("[data-plot=stream] [role=img]").getAttribute("aria-label");
    expect(label).toMatch(/from \d+:\d\d:\d\d to /);
  });

  it("are exported, one session or all", async () => {
    const page = await open("/subjects/M001");
    const saved = async (form: string) => {
      await page.getByLabel(form).check();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("dialog").getByRole("button", { name: "Download" }).click(),
      ]);
      await page.waitForSelector("dialog", { state: "detached" });
      return download.suggestedFilename();
    };
    await page.getByRole("button", { name: "Export session 2" }).click();
    expect(await saved("NWB")).toBe("M001-0002.nwb");
    await page.getByRole("button", { name: "Export all" }).click();
    expect(await saved("CSV")).toBe("M001-csv.zip");
  });

  it("keep what was typed, and say what is wrong, where the terminal refuses", async () => {
    const page = await open("/subjects");
    await page.getByRole("button", { name: "Add a subject" }).click();
    await page.getByLabel("Name", { exact: false }).first().fill("M001");
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").getByText("there is a subject M001 already").waitFor();
    expect(await page.getByLabel("Name", { exact: false }).first().inputValue()).toBe("M001");
  });
});
