/** Where the stages of a task go in a picture: leaves in the frames of what they are part of. */

import type { Stage } from "../api/types";

export interface Box {
  id: number;
  name: string;
  kind: string;
  path: string;
  leaf: boolean;
  /** Whether a way leads from it to the end of what it is part of. */
  ends: boolean;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Arrow {
  from: number;
  to: number;
  /** An SVG path. */
  path: string;
  words: string;
}

export interface Picture {
  width: number;
  height: number;
  /** A frame comes before what is in it. */
  boxes: Box[];
  arrows: Arrow[];
}

const LETTER = 7.3;
const LEAF = 30;
const HEAD = 20;
const PAD = 10;
const GAP_X = 18;
const GAP_Y = 30;
const LANE = 11;

/** A piece of the picture, its corner at 0, 0 until it is put somewhere. */
interface Piece {
  width: number;
  height: number;
  boxes: Box[];
  arrows: Arrow[];
}

/** The name that a stage is shown by. */
export function title(stage: Stage): string {
  return stage.name || stage.kind;
}

/** The picture of a task's stages. */
export function layout(stages: Stage[]): Picture {
  const children = new Map<number, number[]>();
  let root: number | undefined;
  for (const [id, stage] of stages.entries()) {
    if (stage.parent === null) root ??= id;
    else children.set(stage.parent, [...(children.get(stage.parent) ?? []), id]);
  }
  if (root === undefined) return { width: 0, height: 0, boxes: [], arrows: [] };
  return piece(stages, children, root);
}

function piece(stages: Stage[], children: Map<number, number[]>, id: number): Piece {
  const stage = stages[id] as Stage;
  const own = children.get(id) ?? [];
  const name = title(stage);
  const box = (width: number, height: number): Box => ({
    id,
    name,
    kind: stage.kind,
    path: stage.path,
    leaf: own.length === 0,
    ends: stage.ways.some(({ leads }) => leads.includes("done") || leads.includes("stop")),
    x: 0,
    y: 0,
    width,
    height,
  });
  if (own.length === 0) {
    const width = Math.max(64, name.length * LETTER + 26);
    return { width, height: LEAF, boxes: [box(width, LEAF)], arrows: [] };
  }
  const pieces = own.map((child) => piece(stages, children, child));
  const inner = stage.kind === "parallel" ? beside(pieces) : ranked(stages, own, pieces);
  move(inner, PAD, HEAD + PAD);
  const width = Math.max(inner.width + 2 * PAD, (name.length + stage.kind.length) * LETTER + 30);
  const height = inner.height + HEAD + 2 * PAD;
  return { width, height, boxes: [box(width, height), ...inner.boxes], arrows: inner.arrows };
}

function beside(pieces: Piece[]): Piece {
  const all: Piece = { width: 0, height: 0, boxes: [], arrows: [] };
  for (const one of pieces) {
    move(one, all.width === 0 ? 0 : all.width + GAP_X, 0);
    all.width = (all.width === 0 ? 0 : all.width + GAP_X) + one.width;
    all.height = Math.max(all.height, one.height);
    all.boxes.push(...one.boxes);
    all.arrows.push(...one.arrows);
  }
  return all;
}

/** Ways among siblings, each pair once. */
function ways(stages: Stage[], own: number[]): { from: number; to: number; words: string }[] {
  const found = new Map<string, { from: number; to: number; words: string }>();
  for (const [place, id] of own.entries()) {
    const ways = stages[id]?.ways ?? [];
    const leads = ways.flatMap(({ words, leads }) => leads.map((lead) => ({ words, lead })));
    // What says nothing of where it leads is followed by the next.
    if (!leads.some(({ lead }) => lead !== "stop")) leads.push({ words: "", lead: "next" });
    for (const { words, lead } of leads) {
      const to = lead === "next" ? place + 1 : typeof lead === "object" ? own.indexOf(lead.goto) : -1;
      if (to < 0 || to >= own.length) continue;
      const key = `${place} ${to}`;
      const known = found.get(key);
      if (known) known.words += words ? `\n${words}` : "";
      else found.set(key, { from: place, to, words });
    }
  }
  return [...found.values()];
}

/**
 * Each sibling below all that lead to it, so that the way on goes down; a way back to what it came from
 * doesn't count.
 */
function ranks(count: number, between: { from: number; to: number }[]): number[] {
  const on = onwards(between);
  const rank = new Array<number>(count).fill(-1);
  rank[0] = 0;
  // A way on passes each sibling once at most.
  for (let round = 0; round < count; round += 1)
    for (const { from, to } of on) {
      const above = rank[from] as number;
      if (above >= 0) rank[to] = Math.max(rank[to] as number, above + 1);
    }
  // What no way leads to comes last.
  const deepest = Math.max(...rank);
  return rank.map((one) => (one === -1 ? deepest + 1 : one));
}

/** The ways but for those that lead back to where one has come from, beginning with the first sibling. */
function onwards(between: { from: number; to: number }[]): { from: number; to: number }[] {
  const on: { from: number; to: number }[] = [];
  const been = new Set<number>();
  const visit = (place: number, come: Set<number>) => {
    been.add(place);
    for (const way of between.filter(({ from }) => from === place)) {
      if (come.has(way.to)) continue;
      on.push(way);
      if (!been.has(way.to)) visit(way.to, new Set([...come, way.to]));
    }
  };
  visit(0, new Set([0]));
  return on;
}

function ranked(stages: Stage[], own: number[], pieces: Piece[]): Piece {
  const between = ways(stages, own);
  const rank = ranks(own.length, between);
  const deepest = Math.max(...rank);
  const rows = Array.from({ length: deepest + 1 }, (_, row) =>
    own.map((_, place) => place).filter((place) => rank[place] === row),
  );
  const filled = rows.filter((row) => row.length > 0);
  const widths = filled.map((row) =>
    row.reduce((sum, place) => sum + (pieces[place] as Piece).width + GAP_X, -GAP_X),
  );
  const width = Math.max(...widths);
  let y = 0;
  for (const [index, row] of filled.entries()) {
    let x = (width - (widths[index] as number)) / 2;
    const tallest = Math.max(...row.map((place) => (pieces[place] as Piece).height));
    for (const place of row) {
      const one = pieces[place] as Piece;
      move(one, x, y);
      x += one.width + GAP_X;
    }
    y += tallest + GAP_Y;
  }
  const arrows: Arrow[] = [];
  let lanes = 0;
  for (const { from, to, words } of between) {
    const [a, b] = [pieces[from]?.boxes[0] as Box, pieces[to]?.boxes[0] as Box];
    let path: string;
    if (from === to) path = around(a, a, a.x + a.width + LANE);
    else if (rank[to] === (rank[from] as number) + 1) path = down(a, b);
    else {
      lanes += 1;
      path = around(a, b, width + lanes * LANE);
    }
    arrows.push({ from: a.id, to: b.id, path, words });
  }
  return {
    width: width + (lanes > 0 ? (lanes + 0.5) * LANE : 0),
    height: y - GAP_Y,
    boxes: pieces.flatMap((one) => one.boxes),
    arrows: [...pieces.flatMap((one) => one.arrows), ...arrows],
  };
}

function down(a: Box, b: Box): string {
  const [x, y] = [a.x + a.width / 2, a.y + a.height];
  const [toX, toY] = [b.x + b.width / 2, b.y - 1];
  const middle = (y + toY) / 2;
  return `M${r(x)} ${r(y)}C${r(x)} ${r(middle)} ${r(toX)} ${r(middle)} ${r(toX)} ${r(toY)}`;
}

/** By a lane to the right of everything. */
function around(a: Box, b: Box, lane: number): string {
  const [x, y] = [a.x + a.width, a.y + a.height / 2 + 4];
  const [toX, toY] = [b.x + b.width + 1, b.y + b.height / 2 - (a === b ? 6 : 4)];
  const turn = Math.min(8, Math.abs(toY - y) / 2);
  const way = toY < y ? -turn : turn;
  return (
    `M${r(x)} ${r(y)}H${r(lane - turn)}Q${r(lane)} ${r(y)} ${r(lane)} ${r(y + way)}` +
    `V${r(toY - way)}Q${r(lane)} ${r(toY)} ${r(lane - turn)} ${r(toY)}H${r(toX)}`
  );
}

function r(number: number): string {
  return (Math.round(number * 10) / 10).toString();
}

/** Moves a piece and all that is in it. */
function move(one: Piece, x: number, y: number): void {
  for (const box of one.boxes) {
    box.x += x;
    box.y += y;
  }
  for (const arrow of one.arrows) arrow.path = shifted(arrow.path, x, y);
}

/** A path of the commands that are used here, moved. */
function shifted(path: string, x: number, y: number): string {
  return path.replace(/([MCQHV])([^MCQHV]*)/g, (_, command: string, numbers: string) => {
    const list = numbers
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    const by = (place: number) => (command === "H" ? x : command === "V" ? y : place % 2 === 0 ? x : y);
    return command + list.map((number, place) => r(number + by(place))).join(" ");
  });
}
