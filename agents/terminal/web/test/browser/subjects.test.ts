// The page in a real browser, with a lab that is made up: subjects, and their sessions.
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { fill } from "./browser";
import { MadeUp } from "./made-up";

const lab = new MadeUp();
const { open } = lab;

const number = async (page: Page, selector: string) =>
  Number(((await page.locator(selector).textContent()) ?? "").replace(/\D/g, ""));

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

  it("are weighed and given water on a day that is over, or have what was wrong then corrected", async () => {
    const page = await open("/subjects/M001");
    await page.getByRole("button", { name: "Weigh" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Weight").fill("24.3");
    await form.getByLabel("Day", { exact: true }).fill("2026-03-01");
    await form.getByRole("button", { name: "Write it down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    const last = () => lab.mock.asked.at(-1)?.body as Record<string, unknown>;
    expect(last()).toMatchObject({ mass: 24.3, on: "2026-03-01" });
    await page.getByRole("button", { name: "Water" }).click();
    await form.getByLabel("Volume").fill("0.2");
    await form.getByLabel("Day", { exact: true }).fill("2026-03-01");
    await form.getByLabel("was wrong").check();
    await form.getByRole("button", { name: "Write it down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(last()).toMatchObject({ volume: 200, instead: true, day: "2026-03-01" });
    expect(last()).not.toHaveProperty("on");
  });

  it("are told of a step that their protocol has elsewhere, or no more", async () => {
    const training = lab.mock.lab.subjects.get("M004")?.training;
    const gone = "there is no step cued any more in /lab/three.star: its steps are 1 free, 2 short";
    if (training) Object.assign(training, { label: "2 cued", problem: gone });
    const moved = lab.mock.lab.subjects.get("M005")?.training;
    if (moved) Object.assign(moved, { label: "3 cued", was: "2 cued" });
    const page = await open("/subjects");
    await page.locator("[data-subject=M004]").getByTitle(gone).waitFor();
    await page.locator("[data-subject=M005] a").first().click();
    await page.getByText("Its step was 2 cued before the protocol was changed.").waitFor();
    await page.goBack();
    await page.locator("[data-subject=M004] a").first().click();
    await page.getByText(gone).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("dialog").getByText(gone).waitFor();
  });

  it("stay on their protocol where nothing else is chosen, however its file was named", async () => {
    const training = lab.mock.lab.subjects.get("M001")?.training;
    if (training) training.protocol = "/lab/../lab/protocols/water_to_choice.star";
    const page = await open("/subjects");
    const form = page.getByRole("dialog");
    const assign = () => page.locator("[data-subject=M001]").getByRole("button", { name: "Assign" }).click();
    await assign();
    await expect
      .poll(() => form.getByLabel("Protocol").inputValue())
      .toBe("/lab/protocols/water_to_choice.star");
    expect(await form.getByLabel("Step").inputValue()).toBe(String(training?.step));
    await form.getByRole("button", { name: "Cancel" }).click();
    // One that isn't in the folder: a press of Enter puts it on no other.
    const [one] = lab.mock.lab.protocols;
    if (one) one.path = "/lab/protocols/other.star";
    lab.mock.lab.on = () => [];
    await assign();
    await form.getByText("choose a protocol").waitFor({ state: "attached" });
    expect(await form.getByRole("button", { name: "Assign" }).isDisabled()).toBe(true);
  });

  it("have only what was changed of their biography written", async () => {
    const page = await open("/subjects/M001");
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Genotype").fill("Thy1");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)).toEqual({
      path: "/subjects/M001/biography",
      body: { genotype: "Thy1", extra: {}, who: "anna@desk" },
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
