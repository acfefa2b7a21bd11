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
    // A line that was opened while it was silent is given 30 s to say something.
    await page.waitForSelector("main[data-connected=true]", { timeout: 45_000 });
  });

  it("may be elsewhere: times are those of the lab's clock", async () => {
    const page = await open("/subjects/M001", { zone: "America/Los_Angeles" });
    const started = lab.mock.lab.subjects.get("M001")?.sessions[0]?.started ?? "";
    const zone = { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    const here = new Intl.DateTimeFormat("sv-SE", zone).format(new Date(started));
    expect(await page.locator("[data-session='1']").textContent()).toContain(` ${here}`);
  });
});

describe("who sits there", () => {
  const say = async (page: Page, name: string) => {
    await page.getByTitle("Who you are").click();
    await page.getByLabel("Your name").fill(name);
  };

  it("says their name as people write it, and then does things by it", async () => {
    const page = await open();
    await say(page, "  Jane   Doe ");
    await page.getByRole("button", { name: "Keep" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    const box = page.locator("[data-pilot=box1]");
    await box.getByRole("button", { name: "Note on M001" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("new bedding");
    await page.getByRole("button", { name: "Write it down" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ text: "new bedding", who: "Jane Doe@desk" });
    await page.reload();
    await page.getByTitle("Who you are").getByText("Jane Doe").waitFor();
    await box.getByRole("button", { name: "Stop" }).click();
    await page.getByLabel("Take it over from anna").check();
    await page.getByRole("button", { name: "Stop the session" }).click();
    await page.waitForSelector("[data-pilot=box1][data-state=idle]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ pilot: "box1", who: "Jane Doe@desk" });
  });

  it("is told what can't be a name, and a kept one that can't be is let go", async () => {
    const page = await open();
    await say(page, "jane@my desk");
    await page.getByRole("dialog").getByText("What is behind the @ is a computer").waitFor();
    expect(await page.getByRole("button", { name: "Keep" }).isDisabled()).toBe(true);
    await page.evaluate(() => localStorage.setItem("bramble.who", "@desk"));
    await page.reload();
    await page.getByTitle("Who you are").getByText("anna").waitFor();
  });
});

describe("what was typed", () => {
  it("isn't lost unasked, and a dialog goes with its page", async () => {
    const page = await open("/subjects");
    const asked: string[] = [];
    let leave = false;
    page.on("dialog", (dialog) => {
      asked.push(dialog.message());
      void (leave ? dialog.accept() : dialog.dismiss());
    });
    await page.getByRole("link", { name: "Tasks" }).click();
    await page.locator("[data-task=cued_choice]").click();
    const text = page.getByLabel("The task's text");
    await text.fill("something else");
    await page.goBack();
    await expect.poll(() => asked.length).toBe(1);
    await page.getByRole("link", { name: "Protocols" }).click();
    await expect.poll(() => asked.length).toBe(2);
    expect(await text.inputValue()).toBe("something else");
    leave = true;
    await page.getByRole("link", { name: "Protocols" }).click();
    leave = false;
    await page.getByRole("button", { name: "Make a protocol" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Name", { exact: false }).first().fill("quick start");
    await page.keyboard.press("Escape");
    await expect.poll(() => asked.length).toBe(4);
    expect(await form.getByLabel("Name", { exact: false }).first().inputValue()).toBe("quick start");
    leave = true;
    await form.getByRole("button", { name: "Cancel" }).click();
    await page.waitForSelector("dialog", { state: "detached" });
    await page.getByRole("link", { name: "Subjects" }).click();
    await page.locator("[data-subject=M001]").getByRole("button", { name: "Weigh" }).click();
    await page.waitForSelector("dialog[open]");
    await page.goBack();
    await page.waitForSelector("dialog", { state: "detached" });
    await page.getByRole("heading", { name: "Protocols" }).waitFor();
    expect(asked.length).toBe(5);
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

  it("name the file of a mistake that is in what a task loads, and mark no line of the task", async () => {
    const page = await open("/tasks/cued_choice");
    await page.getByLabel("The task's text").fill("first\nload oops\n");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("lib/bias.star, line 2, column 6").waitFor();
    expect(await page.getByRole("button", { name: "line 2" }).count()).toBe(0);
    expect(await page.locator("pre .wrong").count()).toBe(0);
  });

  it("tell tasks of one name apart, and open the one that was pressed", async () => {
    const page = await open("/tasks");
    await page.getByRole("link", { name: "free_water (free_water.star)" }).waitFor();
    await page.getByRole("link", { name: "free_water (mine/free_water.star)" }).click();
    await page.getByText("mine/free_water.star", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Simulate" }).click();
    await page.waitForSelector("[data-simulated]");
    expect(lab.mock.asked.at(-1)?.body).toMatchObject({ path: "/lab/tasks/mine/free_water.star" });
    await page.reload();
    await page.getByText("mine/free_water.star", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Lab", exact: true }).click();
    await page.locator("[data-pilot=box5]").getByRole("button", { name: "Start" }).click();
    const does = page.getByRole("dialog").getByLabel("What it does");
    await does.getByText("only free_water (mine/free_water.star)").waitFor({ state: "attached" });
  });

  it("simulate a task, and draw what it declares", async () => {
    const page = await open("/tasks/cued_choice");
    await page.getByLabel("Trials", { exact: true }).fill("120");
    await page.getByRole("button", { name: "Simulate" }).click();
    await page.waitForSelector("[data-simulated='120']");
    expect(await page.locator("[data-plot=points]").getAttribute("data-points")).toBe("120");
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

  it("are silenced for a while, and are there when they have ended", async () => {
    const page = await open();
    lab.mock.lab.alerted([{ ...alert, id: 7, text: "box2 is away since 14:03" }]);
    await page.getByRole("button", { name: "1 alert" }).click();
    await page.getByRole("button", { name: "Silence for 8 h" }).click();
    await page.getByText("nobody is told until").waitFor();
    expect(lab.mock.asked.at(-1)).toEqual({
      path: "/alerts/7/silence",
      body: { time: 8 * 3600e9, who: "anna@desk" },
    });
    await page.getByRole("button", { name: "Tell others again" }).waitFor();
    lab.mock.lab.past = [{ ...alert, id: 3, text: "box4 was away for 2 h", ended: now }];
    await page.getByText("Alerts that ended").click();
    await page.getByText("box4 was away for 2 h").waitFor();
  });

  it("are what a card has of its pilot, and what is counted", async () => {
    const page = await open();
    await page.waitForSelector("[data-pilot=box1][data-state=running]");
    lab.mock.lab.alerted([
      {
        ...alert,
        id: 9,
        kind: "session-stalled",
        about: "box1",
        pilot: "box1",
        subject: "M001",
        text: "M001 has had no trial in box1 for 10 min",
      },
    ]);
    const box = page.locator("[data-pilot=box1]");
    await box.getByText("no trial in box1 for 10 min").waitFor();
    expect(await box.getAttribute("class")).toContain("warn");
    await page.getByRole("button", { name: "need a person" }).click();
    expect(await page.locator("[data-pilot]").count()).toBe(1);
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

describe("an agent", () => {
  it("is revoked knowing that a session runs there", async () => {
    const agent = { role: "pilot" as const, enrolled: new Date().toISOString(), here: true, last_here: null };
    for (const name of ["box1", "box5"])
      lab.mock.lab.agents.push({ ...agent, name, serial: `0${name}`, revoked: null, becomes: null });
    const page = await open("/swarm");
    const form = page.getByRole("dialog");
    const revoke = (name: string) =>
      page.getByRole("row", { name }).getByRole("button", { name: "Revoke" }).click();
    await revoke("box1");
    await form.getByText("M001's session runs there").waitFor();
    await form.getByRole("button", { name: "Cancel" }).click();
    await revoke("box5");
    await form.getByText("It is cut off at once").waitFor();
    expect(await form.getByText("session runs there").count()).toBe(0);
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
      // What can be pressed is on the screen, and as large as a finger.
      const outside = await page.evaluate(() =>
        [
          ...document.querySelectorAll<HTMLElement>(
            "nav a, nav button, header a, header button, tr button, tr a",
          ),
        ]
          .filter((one) => one.checkVisibility())
          .filter((one) => {
            const { left, right } = one.getBoundingClientRect();
            return left < 0 || right > innerWidth + 0.5;
          })
          .map((one) => one.outerHTML),
      );
      expect(outside, path).toEqual([]);
      const small = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("nav a, nav button, .actions button, .actions a")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40)
          .map((one) => one.outerHTML),
      );
      expect(small, path).toEqual([]);
    }
  });

  it("has on a phone what it has on a desk, behind a button where there is no room", async () => {
    const page = await open("/subjects", { width: 360, height: 740, touch: true });
    await page.getByRole("button", { name: "More" }).click();
    await page.getByText(/The terminal's disk: \d+/).waitFor();
    await page.getByText(/The lab's clock: .*\d\d:\d\d:\d\d/).waitFor();
    await page.getByTitle("Who you are").click();
    await page.getByRole("heading", { name: "Who are you?" }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    const line = page.locator("[data-subject=M004]");
    for (const said of ["2 cued_choice", /\d\d\.\d.g, \d+/, "of 1.2", /\d{4}-\d\d-\d\d/]) {
      const box = await line.getByText(said).first().boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= 360, String(said)).toBe(true);
    }
    await line.getByLabel("What can be done with M004").click();
    await line.getByRole("button", { name: "Start" }).click();
    await page.getByRole("heading", { name: "Start a session" }).waitFor();
  });

  it("says that there is nothing at an address that nobody wrote", async () => {
    const page = await open("/%E0%A4");
    await page.getByText("There is nothing here").waitFor();
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
      // What is read is told from what it lies on as WCAG 2.2 asks, 4.5 to 1, and what is drawn 3 to 1.
      const pale = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const light = (name: string) => {
          const hex = style.getPropertyValue(`--${name}`).trim().slice(1);
          const whole = hex.length === 3 ? [...hex].map((one) => one + one).join("") : hex;
          const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
            const share = Number.parseInt(whole.slice(at, at + 2), 16) / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const contrast = (one: string, other: string) => {
          const [low = 0, high = 0] = [light(one), light(other)].sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        };
        const read = ["ink", "soft", "faint"].flatMap((ink) =>
          ["paper", "panel", "sunken"].map((on): [string, string, number] => [ink, on, 4.5]),
        );
        const said = ["vermilion", "accent"].map((ink): [string, string, number] => [ink, "panel", 4.5]);
        const drawn = ["bars", "blue", "vermilion", "green", "orange", "sky", "purple"].map(
          (ink): [string, string, number] => [ink, "panel", 3],
        );
        return [...read, ...said, ["accent-ink", "accent", 4.5] as [string, string, number], ...drawn]
          .filter(([one, other, least]) => contrast(one, other) < least)
          .map(([one, other]) => `${one} on ${other}: ${contrast(one, other).toFixed(2)}`);
      });
      expect(pale, dark ? "dark" : "light").toEqual([]);
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
