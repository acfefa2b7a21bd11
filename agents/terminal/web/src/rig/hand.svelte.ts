/** A pilot's rig in the hand of whoever sits at this page. */

import { at, get, type Refusal } from "../api/client";
import type { Answer, Ask, Item, Known, Opened, Step, Tells, Told } from "./types";

/** As many lines of what happened are kept. */
const MOST_LINES = 60;

/** What is being led through. */
export type Guided = "calibration" | "check";

export class Hand {
  /** The line to the pilot, until it is over. */
  connected = $state(false);
  /** Why it is over. */
  over = $state("");
  /** The rig, while it is in the hand. */
  opened: Opened | undefined = $state.raw();
  /** It was asked for. */
  asked = $state(false);
  known: Known | undefined = $state.raw();
  /** What inputs read and outputs are at, by the port's name. */
  levels: Record<string, number> = $state({});
  /** How often an output went on since it was asked to. */
  openings = $state(0);
  /** What was refused last, and why. */
  refused = $state("");
  /** What should be read, the newest first. */
  notes: string[] = $state([]);
  guided: Guided | undefined = $state();
  /** What is to be answered, or came of it. */
  step: Step | undefined = $state.raw();
  /** What a check has found so far. */
  items: Item[] = $state([]);

  #socket: WebSocket;
  #beat: number | undefined;
  #first: Ask[] = ["known"];

  constructor(pilot: string, who: string) {
    const path = at`/pilots/${pilot}/hand` + (who ? at`?who=${who}` : "");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#socket = new WebSocket(`${scheme}://${location.host}/api/v1${path}`);
    this.#socket.addEventListener("message", (message: MessageEvent<string>) => {
      this.#hear(JSON.parse(message.data) as Tells);
    });
    this.#socket.addEventListener("close", () => void this.#closed(path));
  }

  /** Why it is over: a browser doesn't say why it was refused a WebSocket, an answer does. */
  async #closed(path: string): Promise<void> {
    let why = "the connection to the terminal broke";
    if (!this.over && this.#beat === undefined)
      await get(path).catch((refusal: Refusal) => {
        if (!refusal.message.startsWith("this is a WebSocket")) why = refusal.message;
      });
    this.#end(why);
  }

  /** Asks for something. Nothing is asked late: where the line is down, it is not asked at all. */
  ask(ask: Ask): void {
    this.refused = "";
    if (this.#beat === undefined || this.#socket.readyState !== WebSocket.OPEN) {
      this.refused = "the pilot can't be heard: nothing was done";
      return;
    }
    this.#socket.send(JSON.stringify({ beat: this.#beat, ask }));
  }

  /** Takes the rig in the hand. */
  work(): void {
    this.asked = true;
    this.ask({ work: { what: "look" } });
  }

  /** Lets it go. */
  letGo(): void {
    this.ask("done");
  }

  /** Switches an output. */
  set(device: string, level: number): void {
    this.ask({ set: { device, level } });
  }

  /** Switches an output on for so many milliseconds. */
  pulse(device: string, milliseconds: number): void {
    const on = Math.round(milliseconds * 1e6);
    this.ask({ train: { members: [{ device, on, offset: 0 }], every: 0, count: 1 } });
  }

  answer(answer: Answer): void {
    this.ask({ answer });
  }

  /** Begins a calibration; durations in milliseconds. */
  calibrate(valve: string, pulses: number, milliseconds: number[]): void {
    [this.guided, this.step] = ["calibration", undefined];
    const durations = milliseconds.map((one) => Math.round(one * 1e6));
    this.ask({ calibrate: { valve, pulses, durations } });
  }

  check(skip: { inputs: boolean; outputs: boolean; timing: boolean }): void {
    [this.guided, this.step, this.items] = ["check", undefined, []];
    this.ask({
      check: { skip_inputs: skip.inputs, skip_outputs: skip.outputs, skip_timing: skip.timing },
    });
  }

  /** What was led through was seen to its end. */
  leave(): void {
    [this.guided, this.step] = [undefined, undefined];
  }

  close(): void {
    this.over ||= "it was let go";
    this.#socket.close();
  }

  #end(why: string): void {
    if (!this.over) this.over = why;
    this.connected = false;
    this.opened = undefined;
    this.asked = false;
    this.#socket.close();
  }

  #hear(tells: Tells): void {
    if ("beat" in tells) {
      this.#beat = tells.beat;
      this.#socket.send(JSON.stringify({ beat: tells.beat }));
      this.connected = true;
      for (const ask of this.#first.splice(0)) this.ask(ask);
    } else if ("told" in tells) for (const told of tells.told) this.#told(told);
    else this.#end(tells.over);
  }

  #told(told: Told): void {
    if ("open" in told) {
      this.opened = told.open;
      this.asked = false;
      this.levels = Object.fromEntries(told.open.parts.map((part) => [part.name, part.reads ?? part.safe]));
      this.notes = told.open.left_out;
    } else if ("event" in told) {
      const { device, kind, value } = told.event;
      if (["input", "analog", "position", "output"].includes(kind)) this.levels[device] = value;
      if (kind === "output" && value > 0) this.openings += 1;
    } else if ("note" in told) this.#note(told.note.text);
    else if ("refused" in told) {
      this.asked = false;
      this.refused = told.refused.why;
      // What could not begin is not gone through.
      if (this.step === undefined) this.guided = undefined;
    } else if ("closed" in told) {
      this.opened = undefined;
      this.levels = {};
      // Without the rig there is nothing left of it to go through.
      if (this.guided === "calibration") this.leave();
      if (told.closed.failed) this.#note(told.closed.why);
    } else if ("known" in told) this.known = told.known;
    else if ("step" in told) this.#step(told.step);
  }

  #step(step: Step): void {
    if ("found" in step) this.items.push(step.found);
    else if ("heard" in step) this.#note(step.heard.text);
    else if (!("timed" in step)) {
      if ("opens" in step) this.openings = 0;
      this.step = step;
      // What is kept is known anew.
      if ("kept" in step || "checked" in step) this.ask("known");
    }
  }

  #note(text: string): void {
    this.notes = [text, ...this.notes].slice(0, MOST_LINES);
  }
}
