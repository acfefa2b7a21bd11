// The page in a real browser, with a lab that is made up: what it shows, and what it asks for.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Alert } from "../../src/api/types";
import { type Mock, serve } from "../mock/serve.mjs";
import { fill, type Looking, launch, look } from "./browser";

let browser: Browser;
let mock: Mock;
let seen: Looking[] = [];

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser.close());

beforeEach(async () => {
  mock = await serve({ pilots: 6, busy: 3, rate: 4 });
});

afterEach(async () => {
  const complaints = seen.flatMap((one) => one.complaints);
  await Promise.all(seen.map((one) => one.close()));
  seen = [];
  await mock.close();
  expect(complaints, "no error in the console").toEqual([]);
});

async function open(path = "/", view = {}): Promise<Page> {
  const looking = await look(browser, mock.url + path, view);
  seen.push(looking);
  return looking.page;
}

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
    const pilot = mock.lab.pilots.get("box2");
    Object.assign(pilot ?? {}, { here: false, why: "no heartbeat for 3 s" });
    mock.lab.changed(["box2"]);
    await page.waitForSelector("[data-pilot=box2][data-state=away]");
    expect(await card(page, "box2").textContent()).toContain("no heartbeat for 3 s");
    expect(await card(page, "box2").getByRole("button", { name: "Stop" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "need a person" }).click();
    expect(await page.locator("[data-pilot]").count()).toBe(1);
  });

  it("says that the terminal is not heard, and catches up when it is again", async () => {
    const page = await open();
    const { port } = mock;
    await mock.close();
    await page.getByText("The terminal can't be heard").waitFor();
    mock = await serve({ port, pilots: 8, busy: 1 });
    await page.waitForSelector("main[data-connected=true]");
    expect(await page.locator("[data-pilot]").count()).toBe(8);
    expect(await card(page, "box2").getAttribute("data-state")).toBe("idle");
    // That the line broke is said in the console by the browser itself.
    for (const one of seen) one.complaints.length = 0;
  });

  it("asks for what is unusual to be confirmed before it starts a session", async () => {
    const page = await open();
    // A subject that is usually in another box.
    mock.lab.addSubject("M012");
    await card(page, "box5").getByRole("button", { name: "Start a session" }).click();
    await page.getByRole("dialog").getByLabel("Subject").selectOption("M012");
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.getByText("usually in box12").waitFor();
    expect(await page.getByRole("dialog").getByRole("button", { name: "Start" }).isDisabled()).toBe(true);
    await page.getByLabel("This box is right").check();
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.waitForSelector("[data-pilot=box5][data-state=running]");
    expect(mock.asked.at(-1)?.body).toMatchObject({ subject: "M012", pilot: "box5", confirm: ["other-box"] });
  });

  it("pauses, resumes, rewards and stops", async () => {
    const page = await open();
    const box = card(page, "box1");
    await box.getByRole("button", { name: "Pause" }).click();
    await page.getByLabel("Why").fill("the tube is loose");
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=paused]");
    expect(mock.asked.at(-1)?.body).toMatchObject({ why: "the tube is loose", who: "anna@desk" });
    await box.getByRole("button", { name: "Resume" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=running]");
    await box.getByRole("button", { name: "Reward" }).click();
    await page.getByLabel("Valve").selectOption("valve.right");
    await page.getByLabel("Volume").fill("3.5");
    await page.getByRole("button", { name: "Give it" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(mock.asked.at(-1)?.body).toMatchObject({ port: { device: "valve", port: "right" }, volume: 3.5 });
    await box.getByRole("button", { name: "Stop" }).click();
    await page.getByLabel("At once").check();
    await page.getByRole("button", { name: "Stop the session" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=idle]");
    expect(mock.asked.at(-1)?.body).toMatchObject({ pilot: "box1", after_trial: false });
  });

  it("shows eighty pilots, and what each of them does", async () => {
    await mock.close();
    mock = await serve({ pilots: 80, busy: 80, rate: 2 });
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

describe("who looks", () => {
  it("may be many: ten pages show the same", async () => {
    const pages: Page[] = [];
    for (let place = 0; place < 10; place += 1) pages.push(await open());
    const trials = mock.lab.pilots.get("box1")?.session?.trials ?? 0;
    for (const page of pages)
      await page.waitForFunction(
        (least) => Number(document.querySelector("[data-pilot=box1] [data-trials]")?.textContent) > least,
        trials + 2,
      );
  });

  it("may have slept: a page that comes back has all that it missed", async () => {
    const page = await open("/pilots/box1");
    await page.waitForSelector("[data-plot=points]");
    await page.context().setOffline(true);
    mock.drop();
    await page.getByText("The terminal can't be heard").waitFor();
    const then = mock.lab.pilots.get("box1")?.session?.trials ?? 0;
    await expect
      .poll(() => mock.lab.pilots.get("box1")?.session?.trials ?? 0, { timeout: 30_000 })
      .toBeGreaterThan(then + 8);
    await page.context().setOffline(false);
    await page.waitForSelector("main[data-connected=true]");
    await page.waitForFunction((least) => {
      const plot = document.querySelector("[data-plot=points]");
      return (
        Number(plot?.getAttribute("data-newest")) > least &&
        plot?.getAttribute("data-newest") === plot?.getAttribute("data-points")
      );
    }, then + 8);
    for (const one of seen) one.complaints.length = 0;
  });

  it("may be elsewhere: times are those of the lab's clock", async () => {
    const page = await open("/subjects/M001", { zone: "America/Los_Angeles" });
    const started = mock.lab.subjects.get("M001")?.sessions[0]?.started ?? "";
    const zone = { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    const here = new Intl.DateTimeFormat("sv-SE", zone).format(new Date(started));
    expect(await page.locator("[data-session='1']").textContent()).toContain(` ${here}`);
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

  it("takes a live parameter and a message", async () => {
    const page = await open("/pilots/box1");
    await page.getByRole("spinbutton", { name: "reward in µL" }).fill("5");
    await page.getByRole("button", { name: "Set" }).click();
    await page.waitForFunction(() => document.querySelector(".sayings button") !== null);
    expect(mock.asked.at(-1)).toMatchObject({
      path: "/subjects/M001/parameter",
      body: { name: "reward", value: "5 uL" },
    });
    await page.getByRole("button", { name: "help_animal" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".sayings button").length === 2);
    expect(mock.asked.at(-1)).toMatchObject({
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
    expect(mock.asked.at(-1)?.body).toMatchObject({
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
    expect(mock.asked.at(-1)).toMatchObject({
      path: "/subjects/R007/weights",
      body: { mass: 24.3, occasion: "before" },
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
    expect(mock.asked.at(-1)).toMatchObject({
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
    await page.locator("[data-weigh=M004]").getByText("far from the last").waitFor();
    await page.keyboard.type("9");
    await page.getByRole("button", { name: "Write 3 down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(mock.asked.slice(-3)).toMatchObject([
      { path: "/subjects/M001/weights", body: { mass: 24.1 } },
      { path: "/subjects/M002/weights", body: { mass: 25.2 } },
      { path: "/subjects/M004/weights", body: { mass: 99 } },
    ]);
    await page.locator("[data-subject=M001]").getByText("24.1").waitFor();
    await batch.getByRole("button", { name: "Note" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("new bedding");
    await page.getByRole("button", { name: "Write it down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(mock.asked.filter(({ body }) => body.text === "new bedding").length).toBe(6);
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
    await page.waitForSelector("[data-plot=points]");
    expect(Number(await page.locator("[data-plot=points]").getAttribute("data-points"))).toBe(trials);
    expect(await page.locator("[data-plot=psychometric]").count()).toBe(1);
    expect(Number(await page.locator("[data-plot=raster]").getAttribute("data-lines"))).toBeGreaterThan(10);
    expect(await page.locator(".graph").count()).toBe(1);
    const log = page.getByRole("list", { name: "What happened" });
    await log.getByText("licks the tube from the side").waitFor();
    expect(await log.textContent()).toContain("4 µL of water by hand");
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

describe("tasks and protocols", () => {
  it("show a task's mistakes at their lines, without changing the file", async () => {
    const page = await open("/tasks");
    await page.locator("[data-task=cued_choice]").click();
    const text = page.getByLabel("The task's text");
    await text.fill("first\n  oops\n");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("there is no `oops`").waitFor();
    await page.getByRole("button", { name: "line 2, column 3" }).click();
    const at = await text.evaluate((one) => (one as HTMLTextAreaElement).selectionStart);
    expect(at).toBe("first\n  ".length);
  });

  it("simulate a task, and draw what it declares", async () => {
    const page = await open("/tasks/cued_choice");
    await page.getByLabel("Trials", { exact: true }).fill("120");
    await page.getByRole("button", { name: "Simulate" }).click();
    await page.waitForSelector("[data-simulated='120']");
    expect(await page.locator("[data-plot=points]").getAttribute("data-points")).toBe("120");
  });

  it("make a protocol in a form that knows the task's parameters and columns", async () => {
    const page = await open("/protocols");
    await page.locator("[data-protocol=water_to_choice]").getByText("80 % correct").waitFor();
    await page.getByRole("button", { name: "Make a protocol" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Name", { exact: false }).first().fill("quick start");
    await form.getByLabel("Task").selectOption("cued_choice");
    await form.getByText("Parameters").click();
    const reward = form.getByRole("spinbutton", { name: "reward in µL" });
    await reward.fill("3");
    await reward.press("ArrowUp");
    await form.getByLabel("Graduates").selectOption("when it does well");
    await form.getByLabel("In at least").fill("75");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(mock.asked.at(-1)?.body).toMatchObject({
      file: "quick_start",
      name: "quick start",
      steps: [
        {
          name: "cued_choice",
          parameters: { reward: "3.5 uL" },
          graduation: { accuracy: { column: "outcome", of: "correct", at_least: 0.75, window: 50 } },
        },
      ],
    });
  });
});

describe("alerts", () => {
  const now = new Date().toISOString();
  const alert: Omit<Alert, "id" | "text"> = {
    kind: "pilot-away",
    about: "box2",
    pilot: "box2",
    subject: null,
    since: now,
    began: now,
    ended: null,
    seen: null,
    silent_until: null,
    told: null,
  };

  it("are a line on every page, until somebody says that they have seen them", async () => {
    const page = await open("/subjects");
    mock.lab.alerted([
      {
        ...alert,
        id: 8,
        kind: "animal-left",
        about: "M003",
        subject: "M003",
        text: "M003 may still be in box3",
      },
      { ...alert, id: 7, text: "box2 is away since 14:03" },
    ]);
    const list = page.getByRole("region", { name: "Alerts" });
    await list.getByRole("button", { name: "2 alerts" }).click();
    const away = list.getByRole("listitem").filter({ hasText: "box2 is away" });
    await away.getByRole("button", { name: "Seen" }).click();
    await away.getByText("seen by anna").waitFor();
    expect(mock.asked.at(-1)).toEqual({ path: "/alerts/7/seen", body: { who: "anna@desk" } });
    await list.getByRole("button", { name: "1 alert" }).waitFor();
    await list.getByRole("button", { name: "It is out" }).click();
    await page.getByText("done: out").waitFor();
    expect(mock.asked.at(-1)).toEqual({ path: "/subjects/M003/out", body: { who: "anna@desk" } });
    mock.lab.alerted([]);
    await list.waitFor({ state: "detached" });
  });

  it("are there after the line broke", async () => {
    const page = await open();
    mock.drop();
    mock.lab.alerted([{ ...alert, id: 7, text: "box2 is away since 14:03" }]);
    await page.getByRole("button", { name: "1 alert" }).waitFor();
  });
});

describe("the swarm", () => {
  it("shows how late each pilot is, and measures links when that is wanted", async () => {
    const page = await open("/swarm");
    await page.getByRole("img", { name: "outputs of box1" }).waitFor();
    expect(await page.getByText("no session in real time yet").count()).toBe(3);
    await page.getByRole("button", { name: "Test the links" }).click();
    const table = page.getByRole("table", { name: "all at once" });
    await table.getByRole("row", { name: "box6" }).getByText("11 MB/s").first().waitFor();
  });
});

describe("every page", () => {
  const paths = [
    "/",
    "/pilots/box1",
    "/subjects",
    "/subjects/M001",
    "/subjects/M001/sessions/3",
    "/tasks",
    "/tasks/cued_choice",
    "/protocols",
    "/swarm",
  ];

  it("fits a phone's width", async () => {
    for (const path of paths) {
      const page = await open(path, { width: 360, height: 740, touch: true });
      await page.waitForTimeout(300);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, path).toBeLessThanOrEqual(360);
    }
  });

  it("has a name for everything that can be pressed or filled in", async () => {
    for (const path of paths) {
      const page = await open(path);
      await page.waitForTimeout(300);
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("button, a[href], input, select, textarea")]
          .filter((one) => {
            const labels = (one as HTMLInputElement).labels?.length ?? 0;
            return !(one.textContent?.trim() || one.getAttribute("aria-label") || labels > 0);
          })
          .map((one) => one.outerHTML),
      );
      expect(nameless, path).toEqual([]);
    }
  });

  it("is dark or light as its reader's system is, and can be read in both", async () => {
    for (const dark of [false, true]) {
      const page = await open("/", { dark });
      const [paper, ink] = await page.evaluate(() => {
        const light = (color: string) => {
          const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
          return (red * 0.3 + green * 0.59 + blue * 0.11) / 255;
        };
        const style = getComputedStyle(document.documentElement);
        return [light(style.backgroundColor), light(style.color)];
      });
      expect(dark ? ink - paper : paper - ink).toBeGreaterThan(0.6);
    }
  });

  it("is worked by the keyboard alone", async () => {
    const page = await open();
    const press = async (key: string, times = 1) => {
      for (let one = 0; one < times; one += 1) await page.keyboard.press(key);
    };
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
    await press("Tab");
    expect(await focused()).toBe("To the content");
    for (let tabs = 0; (await focused()) !== "Pause" && tabs < 40; tabs += 1) await press("Tab");
    const outline = await page.evaluate(
      () => getComputedStyle(document.activeElement as Element).outlineStyle,
    );
    expect(outline, "the focus is seen").toBe("solid");
    await press("Enter");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.type("for the keyboard");
    await press("Enter");
    await page.waitForSelector("[data-pilot=box1][data-state=paused]");
    expect(mock.asked.at(-1)?.body).toMatchObject({ why: "for the keyboard" });
    // The focus comes back to where it was.
    await press("Enter");
    await page.waitForSelector("[data-pilot=box1][data-state=running]");
  });
});

it("the first page is small", async () => {
  const page = await open();
  const sizes = await page.evaluate(() =>
    [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map(
      (entry) => (entry as PerformanceResourceTiming).encodedBodySize,
    ),
  );
  // The mock sends files as they are; the terminal sends them packed.
  expect(sizes.reduce((sum, one) => sum + one, 0)).toBeLessThan(300_000);
});
