/** All that the page knows of the lab as it is now: fed by a snapshot and then by changes. */

import { SvelteMap } from "svelte/reactivity";
import { alerts } from "../alerts/alerts.svelte";
import type {
  Bucket,
  Changes,
  LabInfo,
  Note,
  PilotStatus,
  Row,
  SessionEvent,
  SessionView,
  Snapshot,
  Status,
} from "../api/types";
import { access } from "./access.svelte";
import { joined, newer, within } from "./merge";
import { Line } from "./socket";

/** How many events of a watched session are kept here. */
const MOST_EVENTS = 20_000;
/** How many buckets of a stream are kept here: ten minutes. */
const MOST_BUCKETS = 30_000;
/** Of how many moments a pilot's pace is kept. */
const MOST_PACE = 120;

/** A session that is watched, as it grows. */
export class Watched {
  readonly session: string;
  rows: Row[] = $state.raw([]);
  events: SessionEvent[] = $state.raw([]);
  notes: Note[] = $state.raw([]);
  streams: Record<string, Bucket[]> = $state.raw({});
  readonly task: SessionView["task"];
  readonly parameters: Record<string, string>;

  constructor(view: SessionView) {
    this.session = view.session;
    this.task = view.task;
    this.parameters = view.parameters;
    this.rows = view.rows;
    this.events = view.events;
    this.notes = view.notes;
    this.streams = view.streams;
  }

  add(rows: Row[], events: SessionEvent[], notes: Note[], streams: Record<string, Bucket[]>): void {
    if (rows.length > 0) this.rows = newer(this.rows, rows);
    if (events.length > 0) this.events = within(this.events.concat(events), MOST_EVENTS);
    if (notes.length > 0) this.notes = this.notes.concat(notes);
    const grown = Object.entries(streams).map(([name, buckets]): [string, Bucket[]] => [
      name,
      within(joined(this.streams[name] ?? [], buckets), MOST_BUCKETS),
    ]);
    if (grown.length > 0) this.streams = { ...this.streams, ...Object.fromEntries(grown) };
  }
}

/** A pilot, and the session that it runs, or ran last, where that is watched. */
export class Pilot {
  status: PilotStatus = $state.raw() as PilotStatus;
  watched: Watched | undefined = $state.raw();
  /** Trials over the session's seconds, since this page looks. */
  pace: [number, number][] = $state.raw([]);

  constructor(status: PilotStatus) {
    this.take(status);
  }

  take(status: PilotStatus): void {
    const { session } = status;
    if (session) {
      const another = this.status?.session?.session !== session.session;
      if (another && this.watched?.session !== session.session) this.watched = undefined;
      const pace = another ? [] : this.pace;
      this.pace = within([...pace, [session.seconds, session.trials]], MOST_PACE);
    }
    this.status = status;
  }
}

class Lab {
  pilots = new SvelteMap<string, Pilot>();
  /** The terminal's own part of what it says. */
  terminal: Omit<Status, "pilots"> | undefined = $state.raw();
  info: LabInfo | undefined = $state.raw();
  /** Whether the terminal is heard; undefined before it was for the first time. */
  connected: boolean | undefined = $state();
  /** When the terminal was heard last, by this computer's clock. */
  heard = $state(Date.now());
  #line: Line | undefined;
  #watched: string[] = [];

  /** Begins to listen. */
  listen(url: string): void {
    this.#line?.close();
    this.#line = new Line(url, {
      snapshot: (snapshot) => this.snapshot(snapshot),
      changes: (changes) => this.changes(changes),
      connected: (yes) => {
        this.connected = yes;
        if (!yes) void access.look();
      },
    });
    this.#line.watch(this.#watched);
  }

  /** Listens no longer. */
  hush(): void {
    this.#line?.close();
    this.#line = undefined;
    this.connected = undefined;
  }

  /** From now on, all that happens on these pilots is told. */
  watch(pilots: string[]): void {
    for (const [name, pilot] of this.pilots) if (!pilots.includes(name)) pilot.watched = undefined;
    this.#watched = pilots;
    this.#line?.watch(pilots);
  }

  snapshot(snapshot: Snapshot): void {
    this.heard = Date.now();
    const { pilots, ...terminal } = snapshot.status;
    this.terminal = terminal;
    const names = new Set(pilots.map((pilot) => pilot.name));
    for (const name of [...this.pilots.keys()]) if (!names.has(name)) this.pilots.delete(name);
    for (const status of pilots) this.#take(status);
    alerts.take(snapshot.alerts ?? []);
    this.#open(snapshot.sessions);
  }

  changes(changes: Changes): void {
    this.heard = Date.now();
    for (const status of changes.pilots ?? []) this.#take(status);
    for (const name of changes.gone ?? []) this.pilots.delete(name);
    if (this.terminal && changes.terminal) this.terminal = { ...this.terminal, ...changes.terminal };
    alerts.take(changes.alerts);
    this.#open(changes.sessions);
    const { rows = {}, events = {}, notes = {}, streams = {} } = changes;
    const names = new Set([rows, events, notes, streams].flatMap((of) => Object.keys(of)));
    for (const name of names)
      this.pilots
        .get(name)
        ?.watched?.add(rows[name] ?? [], events[name] ?? [], notes[name] ?? [], streams[name] ?? {});
  }

  /** All pilots in the order of their names, as people count: box2 before box10. */
  get sorted(): Pilot[] {
    const all = [...this.pilots.values()];
    return all.sort((one, other) => collator.compare(one.status.name, other.status.name));
  }

  #take(status: PilotStatus): void {
    const known = this.pilots.get(status.name);
    if (known) known.take(status);
    else this.pilots.set(status.name, new Pilot(status));
  }

  #open(sessions: Record<string, SessionView> | undefined): void {
    for (const [name, view] of Object.entries(sessions ?? {})) {
      const pilot = this.pilots.get(name);
      if (pilot) pilot.watched = new Watched(view);
    }
  }
}

const collator = new Intl.Collator("en", { numeric: true });

export const lab = new Lab();
