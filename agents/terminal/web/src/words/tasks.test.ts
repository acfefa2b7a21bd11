import { describe, expect, it } from "vitest";
import { address, called } from "./tasks";

const list = [
  { name: "free_water", file: "free_water.star" },
  { name: "free_water", file: "mine/free_water.star" },
  { name: "other", file: "mine/other #1.star" },
];
const [first, mine, other] = list as [Filed, Filed, Filed];
type Filed = (typeof list)[number];

describe("tasks", () => {
  it("of one name are told apart by their files", () => {
    expect(list.map((one) => called(one, list))).toEqual([
      "free_water (free_water.star)",
      "free_water (mine/free_water.star)",
      "other",
    ]);
  });

  it("have an address each", () => {
    expect([first, mine, other].map(address)).toEqual([
      "/tasks/free_water",
      "/tasks/mine/free_water",
      "/tasks/mine/other%20%231",
    ]);
  });
});
