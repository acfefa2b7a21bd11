// The page where people log in, with a terminal that has users. It needs the programs, as swarm.test.ts does.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Looking, launch, look } from "./browser";
import { type Swarm, swarm, type User } from "./swarm";

const bin = process.env.BRAMBLE_BIN;
const PASSWORD = "correct horse";
const USERS: User[] = [
  { name: "vera", role: "view", password: PASSWORD },
  { name: "rick", role: "run", password: PASSWORD },
  { name: "mona", role: "manage", password: PASSWORD },
];

describe.skipIf(!bin)("a page that asks for a login", () => {
  let browser: Browser;
  let lab: Swarm;
  let seen: Looking[] = [];

  beforeAll(async () => {
    browser = await launch();
    lab = await swarm(bin ?? "", ["box1"], 20, USERS);
    lab.run("subject", "add", "M001");
  });

  afterEach(async () => {
    const complaints = seen.flatMap((one) => one.complaints);
    await Promise.all(seen.map((one) => one.close()));
    seen = [];
    expect(complaints, "no error in the console").toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
    await lab.end();
  });

  async function open(path = "/"): Promise<Page> {
    const looking = await look(browser, lab.url + path, { login: true });
    seen.push(looking);
    return looking.page;
  }

  async function logIn(page: Page, user: string, password = PASSWORD): Promise<void> {
    await page.getByLabel("Name", { exact: true }).fill(user);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
  }

  const inside = (page: Page) => page.waitForSelector("main[data-connected=true]");
  const offered = (page: Page, name: string | RegExp) =>
    page.getByRole("button", { name, exact: true }).count();
  const dialog = (page: Page) => page.getByRole("dialog", { name: "A note on" });

  it("says that a password is wrong, and lets nobody in", async () => {
    const page = await open();
    await logIn(page, "vera", "wrong horse");
    await page.getByRole("alert").getByText("password").waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("vera");
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    expect(await page.locator("[data-pilot]").count()).toBe(0);
    await logIn(page, "vera");
    await inside(page);
  });

  it("offers to each what they may do, and refuses the rest in words", async () => {
    const may = {
      vera: { start: 0, weigh: 0, add: 0, assign: 0, join: 0 },
      rick: { start: 1, weigh: 1, add: 0, assign: 0, join: 0 },
      mona: { start: 1, weigh: 1, add: 1, assign: 1, join: 1 },
    };
    for (const [user, does] of Object.entries(may)) {
      const page = await open();
      await logIn(page, user);
      await page.waitForSelector("[data-pilot=box1][data-state=idle]");
      expect(
        await page.locator("header").getByRole("button", { name: "Start a session" }).count(),
        user,
      ).toBe(does.start);
      await page.getByRole("link", { name: "Subjects" }).click();
      await page.waitForSelector("[data-subject=M001]");
      expect(await offered(page, "Weigh"), user).toBe(does.weigh);
      expect(await offered(page, "Assign"), user).toBe(does.assign);
      expect(await offered(page, "Add a subject"), user).toBe(does.add);
      await page.getByRole("link", { name: "Tasks" }).click();
      await page.locator("[data-task=cued_choice]").click();
      await page.getByRole("heading", { name: "Stages" }).waitFor();
      expect(await page.getByLabel("The task's text").inputValue(), user).toContain("task(");
      expect(await offered(page, "Simulate"), user).toBe(does.start);
      expect(await offered(page, "Check"), user).toBe(does.start);
      await page.getByRole("link", { name: "Swarm" }).click();
      await page.getByRole("heading", { name: "Enrolled" }).waitFor();
      expect(await offered(page, "Let an agent join"), user).toBe(does.join);
      // What isn't offered is refused too, with what it takes.
      const said = await page.evaluate(async () => {
        const body = JSON.stringify({ id: "M002" });
        const headers = { "content-type": "application/json" };
        const response = await fetch("/api/v1/subjects", { method: "POST", headers, body });
        return [response.status, (await response.json()).message];
      });
      if (user === "mona") expect(said[0]).toBe(200);
      else expect(said).toEqual([403, expect.stringContaining("takes one who may manage")]);
    }
  });

  it("asks again when the login has expired, and keeps what was typed", async () => {
    const page = await open("/subjects/M001");
    await logIn(page, "rick");
    await inside(page);
    await page.getByRole("button", { name: "Note", exact: true }).click();
    await dialog(page).getByLabel("Note").fill("a long thought");
    await page.context().clearCookies();
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await page.getByRole("heading", { name: "Log in again" }).waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("rick");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Log in again" }).waitFor({ state: "detached" });
    expect(await dialog(page).getByLabel("Note").inputValue()).toBe("a long thought");
    await dialog(page).getByRole("button", { name: "Write it down" }).click();
    await page.getByText("a long thought").first().waitFor();
    await inside(page);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForSelector("input[type=password]");
  });
});
