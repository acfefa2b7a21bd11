// The page in a real browser, with a lab that is made up: its other pages, and whoever looks at them.
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/api/types";
import { MadeUp } from "./made-up";

const lab = new MadeUp();
const { open } = lab;

describe("who looks", () => {
  it("may be many: ten pages show the same", async () => {
    const pages: Page[] = [];
    for (let place = 0; place < 10; place += 1) pages.push(await open());
    const trials = lab.mock.lab.pilots.get("box1")?.session?.trials ?? 0;
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
    lab.mock.drop();
    await page.getByText("The terminal can't be heard").waitFor();
    const then = lab.mock.lab.pilots.get("box1")?.session?.trials ?? 0;
    await expect
      .poll(() => lab.mock.lab.pilots.get("box1")?.session?.trials ?? 0, { timeout: 30_000 })
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
    for (const one of lab.seen) one.complaints.length = 0;
  });

  it("is told that the terminal isn't heard, where the line is dead though nothing has closed it", async () => {
    const page = await open("/");
    lab.mock.hush(true);
    await page.getByText("The terminal can't be heard").waitFor();
    expect(await page.locator("main").getAttribute("data-connected")).toBe("false");
    lab.mock.hush(false);
    await page.waitForSelector("main[data-connected=true]");
  });

  it("may be elsewhere: times are those of the lab's clock", async () => {
    const page = await open("/subjects/M001", { zone: "America/Los_Angeles" });
    const started = lab.mock.lab.subjects.get("M001")?.sessions[0]?.started ?? "";
    const zone = { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    const here = new Intl.DateTimeFormat("sv-SE", zone).format(new Date(started));
    expect(await page.locator("[data-session='1']").textContent()).toContain(` ${here}`);
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
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({
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
    lab.mock.lab.alerted([
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
    expect(lab.mock.asked.at(-1)).toEqual({ path: "/alerts/7/seen", body: { who: "anna@desk" } });
    await list.getByRole("button", { name: "1 alert" }).waitFor();
    await list.getByRole("button", { name: "It is out" }).click();
    await page.getByText("done: out").waitFor();
    expect(lab.mock.asked.at(-1)).toEqual({ path: "/subjects/M003/out", body: { who: "anna@desk" } });
    lab.mock.lab.alerted([]);
    await list.waitFor({ state: "detached" });
  });

  it("are there after the line broke", async () => {
    const page = await open();
    lab.mock.drop();
    lab.mock.lab.alerted([{ ...alert, id: 7, text: "box2 is away since 14:03" }]);
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
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ why: "for the keyboard" });
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
