// A rig in a person's hand, from the page in a real browser, with a terminal and a pilot. It needs the
// programs: BRAMBLE_BIN is the folder that they are in.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Looking, launch, look } from "./browser";
import { type Swarm, swarm } from "./swarm";

const bin = process.env.BRAMBLE_BIN;

describe.skipIf(!bin)("a rig", () => {
  let browser: Browser;
  let lab: Swarm;
  let looking: Looking;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    lab = await swarm(bin ?? "", ["box1"], 1);
    looking = await look(browser, `${lab.url}/`);
    page = looking.page;
  });

  afterAll(async () => {
    await browser.close();
    await lab.end();
  });

  const step = (name: string) => page.waitForSelector(`[data-guide][data-step=${name}]`);
  const press = (name: string | RegExp) => page.getByRole("button", { name, exact: true }).click();
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

  it("is taken in the hand, by the keyboard alone, and its outputs are switched", async () => {
    await page.waitForSelector("[data-pilot=box1][data-state=idle]");
    await page.getByRole("link", { name: "Rig of box1" }).focus();
    await page.keyboard.press("Enter");
    const work = page.getByRole("button", { name: "Work it by hand" });
    await page.waitForFunction(() =>
      [...document.querySelectorAll("button")].some(
        (one) => one.textContent?.includes("Work it by hand") && !one.disabled,
      ),
    );
    await work.focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-held]");
    await page.locator("[data-input='poke.left']").getByText("low").waitFor();
    await page.getByRole("button", { name: "Switch light.left on" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-output='light.left'].on");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-output='light.left']:not(.on)");
    await page.getByLabel("Length of a pulse of valve.left in milliseconds").fill("1500");
    await press("Pulse valve.left");
    await page.waitForSelector("[data-output='valve.left'].on");
    await page.waitForSelector("[data-output='valve.left']:not(.on)");
  });

  it("is one page's alone", async () => {
    const other = await look(browser, `${lab.url}/rig/box1`);
    await other.page.locator("[data-busy]").getByText("works the rig by hand").waitFor();
    expect(await other.page.getByRole("button", { name: "Work it by hand" }).isDisabled()).toBe(true);
    await other.page.goto(`${lab.url}/`);
    await other.page.waitForSelector("[data-pilot=box1][data-state='by hand']");
    expect(other.complaints).toEqual([]);
    await other.close();
  });

  it("has a valve calibrated, step by step, with the line drawn", async () => {
    await page.getByRole("combobox", { name: "Valve" }).selectOption("valve.left");
    await page.getByLabel("Durations").fill("20, 40");
    await page.getByLabel("Openings for each").fill("3");
    await press("Begin");
    for (const grams of ["0.0024", "0.0048"]) {
      await step("place");
      await press("The cup is there: open");
      await step("weigh");
      const scale = page.getByLabel("What the scale shows");
      await scale.fill("240");
      await press("Next");
      await page.getByRole("alert").getByText("is a flood: are these milligrams?").waitFor();
      await scale.fill(grams);
      await scale.press("Enter");
    }
    await step("line");
    expect(await page.locator("figure svg").first().getAttribute("data-points")).toBe("2");
    await press("Weigh 20 ms again");
    await step("place");
    await page.getByText("It was weighed already").click();
    await page.getByLabel("What the scale shows").fill("2.5 mg");
    await press("Take this weight");
    await step("line");
    await press("Keep it");
    await step("kept");
    await page.waitForSelector("[data-calibration='valve.left']");
  });

  it("is checked, and what is found is recorded", async () => {
    await press("Let the rig go");
    await page.getByLabel("the computer's timing").uncheck();
    await press("Check the rig");
    for (const name of ["beam", "lick", "poke.center", "poke.left", "poke.right", "wheel"]) {
      await page.getByRole("heading", { name: `: ${name} is` }).waitFor();
      await press("Leave it out");
    }
    await step("spouts");
    await press("It is there");
    const outputs = ["lamp", "led", "light.center", "light.left", "light.right", "motor"];
    for (const name of [...outputs, "valve.center", "valve.left", "valve.right"]) {
      await page.getByRole("heading", { name: `${name} was on` }).waitFor();
      await press(name === "led" ? "No" : "Yes");
    }
    await step("checked");
    await page.waitForSelector("[data-item=led][data-outcome=failed]");
    await press("Done");
    await page.waitForSelector("[data-last-check=failed]");
  });

  it("is let go where its page is closed", async () => {
    const phone = await look(browser, `${lab.url}/rig/box1`, {
      width: 390,
      height: 780,
      dark: true,
      touch: true,
    });
    await phone.page.waitForFunction(() =>
      [...document.querySelectorAll("button")].some(
        (one) => one.textContent?.includes("Work it by hand") && !one.disabled,
      ),
    );
    await phone.page.getByRole("button", { name: "Work it by hand" }).click();
    await phone.page.waitForSelector("[data-held]");
    const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide, "it fits a phone").toBe(false);
    await phone.page.getByRole("button", { name: "Switch light.left on" }).click();
    await phone.page.waitForSelector("[data-output='light.left'].on");
    await page.waitForSelector("[data-busy]");
    expect(phone.complaints).toEqual([]);
    await phone.close();
    await page.waitForSelector("[data-busy]", { state: "detached" });
    expect(await fits()).toBe(true);
  });

  it("has complained of nothing in the console", () => {
    expect(looking.complaints).toEqual([]);
  });
});
