/** What a pilot is doing, in a word and with a shape. */

import type { Alert, EndedSession, PilotStatus } from "../api/types";
import type { Shape } from "../parts/Icon.svelte";
import { grouped, micro, percent } from "./units";

export type Tone = "good" | "plain" | "warn" | "bad";

export interface Doing {
  /** The group that it is listed under. */
  group: "session" | "idle" | "away";
  word: string;
  shape: Shape;
  tone: Tone;
}

/** What a pilot does, the most important thing first. */
export function doing(pilot: PilotStatus): Doing {
  const { session } = pilot;
  const group = session || pilot.starting ? "session" : "idle";
  if (!pilot.here) return { group: "away", word: "away", shape: "away", tone: "bad" };
  if (pilot.catching_up)
    return { group, word: `${grouped(pilot.unacknowledged)} to come`, shape: "behind", tone: "warn" };
  if (session?.stopping) return { group, word: "stopping", shape: "stop", tone: "warn" };
  if (session?.hold === "coming") return { group, word: "pausing", shape: "paused", tone: "warn" };
  if (session?.hold) return { group, word: "paused", shape: "paused", tone: "warn" };
  const child = pilot.children.find((child) => !child.here);
  if (child) return { group, word: `${child.name} away`, shape: "warning", tone: "bad" };
  if (pilot.starting) return { group, word: "starting", shape: "starting", tone: "plain" };
  if (session) return { group, word: "running", shape: "running", tone: "good" };
  if (pilot.hand) return { group, word: "by hand", shape: "hand", tone: "plain" };
  return { group, word: "idle", shape: "idle", tone: "plain" };
}

/** A wall clock that is off by more dates what happens wrongly, in seconds: as `bramble-terminal status` has it. */
const WALL_OFF = 2;

/**
 * What of a pilot needs a person, a sentence each: what the terminal alerts of it, and what it says of itself
 * that no alert is of.
 */
export function needs(pilot: PilotStatus, alerts: Alert[]): string[] {
  const list: string[] = [];
  if (!pilot.here) list.push(pilot.why ? `away: ${pilot.why}` : "away");
  for (const { kind, text, pilot: of } of alerts)
    if (of === pilot.name && kind !== "pilot-away") list.push(micro(text));
  if (pilot.notice) list.push(pilot.notice);
  for (const child of pilot.children) if (!child.here) list.push(`its child ${child.name} is away`);
  if (!pilot.here) return list;
  const ahead = pilot.quality?.wall_ahead;
  if (ahead && Math.abs(ahead) > WALL_OFF)
    list.push(
      `its wall clock is ${Math.abs(ahead).toFixed(0)} s ${ahead > 0 ? "ahead" : "behind"}: dates are wrong by that`,
    );
  if (pilot.health?.power?.low) list.push("its voltage is too low: give it a better supply or cable");
  else if (pilot.health?.power?.throttled) list.push("it is slowed down: see to its supply and cooling");
  return list;
}

/** How a session ended, in words. */
export function ended({ ending, why }: { ending: string; why: string }): string {
  return micro(why) || ending;
}

/** How a session ended, and what came of it: `graduated; 48 trials, 77 % correct`. */
export function outcome(last: EndedSession): string {
  const how = last.graduated ? "graduated" : ended(last);
  // A task may have none.
  if (last.trials === 0) return how;
  const trials = last.trials === 1 ? "1 trial" : `${grouped(last.trials)} trials`;
  return `${how}; ${trials}${last.correct === null ? "" : `, ${percent(last.correct)} correct`}`;
}

/** A person without the computer they sit at. */
export function person(who: string): string {
  return who.split("@")[0] ?? who;
}
