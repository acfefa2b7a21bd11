// The page in a real browser, with a lab that is made up: protocols, and the form that they are made in.
import { describe, expect, it } from "vitest";
import { MadeUp } from "./made-up";

const lab = new MadeUp();
const { open } = lab;

describe("a new protocol", () => {
  it("is made in a form that knows the task's parameters and columns", async () => {
    const page = await open("/protocols");
    await page
      .locator("[data-protocol=water_to_choice]")
      .getByText("in 80 % of the last 100 trials")
      .waitFor();
    await page.getByRole("button", { name: "Make a protocol" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Name", { exact: false }).first().fill("quick start");
    await form.getByLabel("Task").selectOption("cued_choice");
    await form.getByText("Parameters").click();
    const reward = form.getByRole("spinbutton", { name: "reward in µL" });
    await reward.fill("3");
    await reward.press("ArrowUp");
    const end = (which: string) => form.getByRole("spinbutton", { name: `block, ${which}` });
    expect(await end("from").getAttribute("placeholder")).toBe("15");
    await end("to").fill("20");
    expect(await end("from").inputValue()).toBe("15");
    await form.getByLabel("Graduates").selectOption("when it does well");
    await form.getByLabel("In at least").fill("75");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      file: "quick_start",
      name: "quick start",
      steps: [
        {
          name: "cued_choice",
          parameters: { reward: "3.5 uL", block: "15 to 20" },
          graduation: { accuracy: { column: "outcome", of: "correct", at_least: 0.75, window: 50 } },
        },
      ],
    });
  });
});

describe("a folder without tasks", () => {
  it("is named wherever there would be some", async () => {
    lab.mock.lab.protocols.length = 0;
    lab.mock.lab.tasks = [];
    const page = await open("/protocols");
    const none = (what: string) => page.getByText(`No ${what} in /lab/tasks: put files there`);
    await none("protocol").waitFor();
    await page.getByRole("button", { name: "Make a protocol" }).click();
    await none("task").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("link", { name: "Tasks" }).click();
    await none("task").waitFor();
  });
});

describe("a protocol that there is", () => {
  it("has its steps moved and taken out, each with what is its own", async () => {
    const page = await open("/protocols");
    await page.locator("[data-protocol=water_to_choice]").getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog");
    const step = (number: number) => form.getByRole("group", { name: `Step ${number}` });
    const names = () =>
      form.getByLabel("Step's name").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value));
    await expect.poll(names).toEqual(["free_water", "short_hold", "two_choice"]);
    await step(3).getByRole("button", { name: "move up" }).click();
    await expect.poll(names).toEqual(["free_water", "two_choice", "short_hold"]);
    await step(1).getByRole("button", { name: "take out" }).click();
    await expect.poll(names).toEqual(["two_choice", "short_hold"]);
    expect(await step(1).getByRole("button", { name: "move up" }).count()).toBe(0);
    await step(2).getByText("Parameters").click();
    expect(await step(2).getByRole("spinbutton", { name: "reward in µL" }).inputValue()).toBe("6");
    expect(await step(1).getByLabel("Graduates").inputValue()).toBe("none");
    expect(await step(2).getByLabel("In at least").inputValue()).toBe("80");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      steps: [{ name: "two_choice" }, { name: "short_hold", parameters: { reward: "6 uL" } }],
    });
  });

  it("is changed in the form, which is filled in with it", async () => {
    const page = await open("/protocols");
    const card = page.locator("[data-protocol=water_to_choice]");
    await card.getByText("with reward = 6 µL").waitFor();
    await card.getByText("when outcome is correct in 80 %").waitFor();
    await card.getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog");
    const second = form.getByRole("group", { name: "Step 2" });
    await second.getByText("Parameters").click();
    expect(await second.getByRole("spinbutton", { name: "reward in µL" }).inputValue()).toBe("6");
    expect(await second.getByLabel("In at least").inputValue()).toBe("80");
    await second.getByLabel("Of the last").fill("60");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
      change: { path: "/lab/protocols/water_to_choice.star", text: "protocol()" },
      steps: [
        { name: "free_water", graduation: { trials: { count: 50 } } },
        {
          name: "short_hold",
          task: "/lab/tasks/cued_choice.star",
          parameters: { reward: "6 uL" },
          graduation: { accuracy: { column: "outcome", of: "correct", at_least: 0.8, window: 60 } },
        },
        { name: "two_choice", graduation: null },
      ],
    });
  });

  it("is given to subjects from its card", async () => {
    const page = await open("/protocols");
    await page.locator("[data-protocol=water_to_choice]").getByRole("button", { name: "Assign" }).click();
    const form = page.getByRole("dialog");
    expect(await form.getByRole("button", { name: "Assign" }).isDisabled()).toBe(true);
    await form.getByLabel("M002").check();
    await form.getByLabel("M005").check();
    await form.getByRole("button", { name: "Assign" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)).toMatchObject({
      path: "/subjects/assign",
      body: { subjects: ["M002", "M005"], protocol: "/lab/protocols/water_to_choice.star", step: 1 },
    });
  });

  it("says who is on it, and who would be at no step of it", async () => {
    const page = await open("/protocols");
    const card = page.locator("[data-protocol=water_to_choice]");
    const on = lab.mock.lab.on();
    const ids = on.filter(({ step }) => step === "short_hold").map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(1);
    await card.getByText(`Here now: ${ids.join(", ")}`).waitFor();
    await card.getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog");
    const second = form.getByRole("group", { name: "Step 2" });
    await second.getByText(`Here now: ${ids.join(", ")}`).waitFor();
    // Moved, it goes on being theirs.
    await second.getByRole("button", { name: "move up" }).click();
    await form
      .getByRole("group", { name: "Step 1" })
      .getByText(`Here now: ${ids.join(", ")}`)
      .waitFor();
    expect(await form.locator("[data-stranded]").count()).toBe(0);
    // By another name it is no step that they are at; nor is one that isn't there.
    await form.getByRole("group", { name: "Step 1" }).getByLabel("Step's name").fill("longer");
    const lost = form.locator("[data-stranded=short_hold]");
    await lost.waitFor();
    expect(await lost.textContent()).toContain(ids.join(", "));
    await form.getByRole("group", { name: "Step 1" }).getByLabel("Step's name").fill("short_hold");
    await lost.waitFor({ state: "detached" });
    await form.getByRole("group", { name: "Step 1" }).getByRole("button", { name: "take out" }).click();
    await lost.waitFor();
  });

  it("keeps a share that is no whole percentage, and takes one", async () => {
    const [protocol] = lab.mock.lab.protocols;
    const rule = protocol?.steps[1]?.rule;
    if (rule && "accuracy" in rule) rule.accuracy.at_least = 2 / 3;
    const page = await open("/protocols");
    const edit = () =>
      page.locator("[data-protocol=water_to_choice]").getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog");
    const share = form.getByRole("group", { name: "Step 2" }).getByLabel("In at least");
    const save = async () => {
      await form.getByRole("button", { name: "Save" }).click();
      await page.getByText("what it was is in water_to_choice.star.2026-11-27T093000").first().waitFor();
      await page.waitForSelector("dialog", { state: "detached" });
      return (lab.mock.asked.at(-1)?.body as { steps?: { graduation: unknown }[] } | undefined)?.steps?.[1]
        ?.graduation;
    };
    await edit();
    await form.getByLabel("What it is for").fill("Something else.");
    expect(await save()).toMatchObject({ accuracy: { at_least: 2 / 3 } });
    await edit();
    await share.fill("57.5");
    expect(await save()).toMatchObject({ accuracy: { at_least: 0.575 } });
  });

  it("keeps the parameters that another task of a step has too", async () => {
    const page = await open("/protocols");
    await page.locator("[data-protocol=water_to_choice]").getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog");
    const second = form.getByRole("group", { name: "Step 2" });
    await second.getByLabel("Task").selectOption("two_choice");
    await second.getByText("Parameters").click();
    expect(await second.getByRole("spinbutton", { name: "reward in µL" }).inputValue()).toBe("6");
  });

  it("is edited as its file is now, and not over what another wrote meanwhile", async () => {
    const page = await open("/protocols");
    const card = page.locator("[data-protocol=water_to_choice]");
    const form = page.getByRole("dialog");
    await card.waitFor();
    // Somebody writes the file while the list is being looked at, and again while the form is.
    const [protocol] = lab.mock.lab.protocols;
    if (protocol) protocol.doc = "Changed since.";
    await card.getByRole("button", { name: "Edit" }).click();
    await expect.poll(() => form.getByLabel("What it is for").inputValue()).toBe("Changed since.");
    lab.mock.lab.text = "protocol(1)";
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByRole("alert").getByText("was changed meanwhile").waitFor();
  });
});
