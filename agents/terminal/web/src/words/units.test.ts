import { describe, expect, it } from "vitest";
import { ago, below, bytes, clock, grams, grouped, micro, percent, shareOf, short, water } from "./units";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("quantities", () => {
  it("are said with their units, as large as they need", () => {
    expect([4, 12.34, 612.6, 1000, 1250].map(water).map(plain)).toEqual([
      "4 µL",
      "12.3 µL",
      "613 µL",
      "1 mL",
      "1.25 mL",
    ]);
    expect([48_000, 2.34e6, 1.2e9, 130e6].map(short).map(plain)).toEqual([
      "48 µs",
      "2.3 ms",
      "1.2 s",
      "130 ms",
    ]);
    expect([0, 999, 1500, 412e9].map(bytes).map(plain)).toEqual(["0 B", "999 B", "1.5 kB", "412 GB"]);
    expect([24.25, 0.835].map((one, place) => plain(place ? percent(one) : grams(one)))).toEqual([
      "24.3 g",
      "84 %",
    ]);
    expect(plain(grouped(1234567))).toBe("1 234 567");
  });

  it("tell a share that is below a limit from that limit, and don't take one at it for below", () => {
    const said = (grams: number, baseline: number, limit: number) =>
      plain(shareOf(grams / baseline, limit)) + (below(grams / baseline, limit) ? ", below" : "");
    expect(said(19.2, 24, 0.8)).toBe("80 %");
    expect(said(27.9, 31, 0.9)).toBe("90 %");
    expect(said(21, 25, 0.85)).toBe("84 %, below");
    expect(said(21.2499, 25, 0.85)).toBe("84.9996 %, below");
    expect([shareOf(0.796, null), below(0.1, null)].map(String).map(plain)).toEqual(["80 %", "false"]);
  });

  it("are written by agents in letters that any terminal has, and are shown as people write them", () => {
    const said = (text: string) => plain(micro(text));
    expect(said("reward = 6 uL")).toBe("reward = 6 µL");
    expect(said("gave 0.80 uL each, 38 uL/s")).toBe("gave 0.80 µL each, 38 µL/s");
    expect(said("100000 uL by hand")).toBe("100 mL by hand");
    expect(said("late by 1.9 us half of the time, p99 2.137 us, p99.9 128.3 us")).toBe(
      "late by 1.9 µs half of the time, 99 % within 2.137 µs, 99.9 % within 128.3 µs",
    );
    expect(said("the manual and the status of bus 3")).toBe("the manual and the status of bus 3");
    expect(said("ask us before p12 3 is fed")).toBe("ask us before p12 3 is fed");
  });

  it("are times as a clock has them", () => {
    expect([0, 59.9, 3725].map(clock)).toEqual(["0:00:00", "0:00:59", "1:02:05"]);
    expect([12, 300, 7200, 200_000].map(ago).map(plain)).toEqual(["12 s", "5 min", "2 h", "2 d"]);
  });
});
