/** What goes over the API, as the terminal's OpenAPI description has it. */

import type { Alert } from "../alerts/alerts.svelte";

/** Nanoseconds of a session's own clock. */
export type Ns = number;
/** A moment, RFC 3339 in UTC. */
export type Timestamp = string;

export interface Disk {
  free: number;
  size: number;
}

export interface Health {
  unix_ns: number;
  disk: Disk | null;
  /** In degrees Celsius. */
  temperature: number | null;
  power: { low: boolean; throttled: boolean; earlier: boolean } | null;
}

export interface Quality {
  round_trip: Ns;
  clock_error: Ns;
  drift_ppm: number;
  /** In seconds. */
  wall_ahead: number | null;
}

/** Who works a rig by hand. */
export interface InHand {
  /** None for somebody at its computer. */
  who: string | null;
  what: string;
}

export interface RigDevice {
  name: string;
  kind: string;
  ports: string[];
  driver: string;
}

export interface ChildStatus {
  name: string;
  here: boolean;
  since: Timestamp | null;
  why: string | null;
  quality: Quality | null;
  health: Health | null;
}

export type Hold = "coming" | { since: { seconds: number } };

export interface SessionStatus {
  session: string;
  subject: string;
  owner: string;
  task: string;
  hold: Hold | null;
  trials: number;
  /** The share of the last trials that were correct. */
  correct: number | null;
  /** In microliters. */
  water: number;
  seconds: number;
  /** The active stages, outermost first. */
  stages: string[];
  /** The protocol's step that it is, as in `2 cued_choice`; none for a task by itself. */
  step: string | null;
  /** Of the last trials that count, whether each was correct, oldest first. */
  recent: boolean[];
  /** The valves that water can be given from by hand. */
  valves: PortName[];
}

export interface PortName {
  device: string;
  port: string | null;
}

export interface PilotStatus {
  name: string;
  here: boolean;
  since: Timestamp;
  why: string | null;
  software: { program: string; version: string; host: string; system: string };
  rig: RigDevice[];
  children: ChildStatus[];
  unacknowledged: number;
  catching_up: boolean;
  quality: Quality | null;
  health: Health | null;
  starting: { subject: string; owner: string } | null;
  session: SessionStatus | null;
  hand?: InHand | null;
  notice: string | null;
}

export interface Status {
  data: string;
  listen: string;
  health: Health;
  pilots: PilotStatus[];
  refused: string[];
  notice: string | null;
}

/** What a column held in a trial: a choice by its name, a duration in seconds, a volume in microliters. */
export type Value = string | number | boolean | null;

export interface Row {
  trial: number;
  start: Ns;
  end: Ns;
  ending: string;
  values: Record<string, Value>;
}

export interface SessionEvent {
  t: Ns;
  trial: number;
  kind: string;
  source: string;
  value: number;
}

/** What was measured in 20 ms, which begin at `t`. */
export interface Bucket {
  t: Ns;
  min: number;
  max: number;
  last: number;
}

/** Something that a person should read. */
export interface Note {
  t: Ns;
  text: string;
}

export interface Parameter {
  name: string;
  type: string;
  unit: string;
  choices: string[];
  default: string;
  min: string | null;
  max: string | null;
  live: boolean;
  doc: string;
}

export interface Column {
  name: string;
  type: string;
  unit: string;
  choices: string[];
  carried: boolean;
  doc: string;
}

export interface Device {
  name: string;
  kind: string;
  ports: string[];
  unit: string;
  doc: string;
}

/** To a stage by its place, or how what it is part of goes on. */
export type Lead = { goto: number } | "done" | "next" | "stop";

/** What leads out of a stage, or is done while it goes on: then it leads nowhere. */
export interface Way {
  words: string;
  leads: Lead[];
}

export interface Stage {
  name: string;
  /** A name that no other stage of the task has. */
  path: string;
  kind: string;
  /** Its kind, and what that says: `delay 200 ms`. */
  heading: string;
  notes: string[];
  parent: number | null;
  children: number[];
  ways: Way[];
  line: number;
}

export interface Plot {
  kind: "points" | "line" | "rolling_mean" | "spans" | "psychometric";
  columns: string[];
  of: string | null;
  window: number | null;
}

export interface TaskView {
  name: string;
  doc: string;
  parameters: Parameter[];
  hardware: Device[];
  columns: Column[];
  messages: { name: string; button: boolean }[];
  stages: Stage[];
  plots: Plot[];
}

/** Its times are since the session's start. */
export interface SessionView {
  session: string;
  /** None where it is not known here. */
  task: TaskView | null;
  /** What its parameters were at the start. */
  parameters: Record<string, string>;
  rows: Row[];
  events: SessionEvent[];
  notes: Note[];
  streams: Record<string, Bucket[]>;
}

export interface Snapshot {
  kind: "snapshot";
  at: Timestamp;
  status: Status;
  sessions: Record<string, SessionView>;
  /** The alerts that are on, the newest first. */
  alerts?: Alert[];
}

export interface Changes {
  kind: "changes";
  at: Timestamp;
  pilots?: PilotStatus[];
  gone?: string[];
  terminal?: { health: Health; refused: string[]; notice: string | null };
  /** All that are on, where one is otherwise. */
  alerts?: Alert[];
  /** Of pilots that are watched: each takes the place of what there was. */
  sessions?: Record<string, SessionView>;
  rows?: Record<string, Row[]>;
  events?: Record<string, SessionEvent[]>;
  notes?: Record<string, Note[]>;
  streams?: Record<string, Record<string, Bucket[]>>;
}

export interface Training {
  protocol: string;
  step: number;
  label: string;
  finished: boolean;
}

export interface SubjectLine {
  id: string;
  problem: string | null;
  training: Training | null;
  sessions: number;
  trials: number;
  last: Timestamp | null;
}

export type Sex = "unknown" | "female" | "male" | "other";

export interface Biography {
  species: string;
  strain: string;
  sex: Sex;
  /** A date of the lab's calendar. */
  birth: string | null;
  genotype: string;
  notes: string;
  extra: Record<string, string>;
}

export type Occasion = "before" | "after" | "other";

export interface Weight {
  when: Timestamp;
  grams: number;
  occasion: Occasion;
  who: string;
}

export interface Life {
  today: string;
  /** In grams. */
  baseline: { mass: number; set: { who: string; when: Timestamp } | null; since: Timestamp } | null;
  limit: number | null;
  weight: { weight: Weight; day: string; share: number } | null;
  /** In microliters. */
  target: number | null;
  water: { sessions: number; by_hand: number; unknown: number };
}

export interface SessionSummary {
  number: number;
  uuid: string;
  task: string;
  pilot: string;
  protocol: { protocol: string; step: string } | null;
  started: Timestamp;
  end: { ended: Timestamp; ending: string; why: string; correct: number | null; water: number | null } | null;
  trials: number;
  events: number;
}

export interface SubjectInfo {
  id: string;
  uuid: string;
  file: string;
  biography: Biography;
  training: Training | null;
  sessions: SessionSummary[];
  life: Life;
}

export interface Change {
  when: Timestamp;
  who: string;
  what: string;
  from: string;
  to: string;
}

export type Role = "view" | "run" | "manage";

export interface LoginInfo {
  /** Whether a login is asked for. */
  required: boolean;
  who: string | null;
  /** None for who has not logged in. */
  role: Role | null;
}

export interface LabInfo {
  /** The lab's time zone, as in `Europe/Berlin`. */
  zone: string | null;
  /** By how many seconds the lab's clocks are ahead of UTC now. */
  utc_offset: number;
  name: string;
  institution: string;
  lab: string;
  who: string | null;
  role: Role;
}

export interface ProtocolLine {
  path: string;
  name: string;
  doc: string;
  problem: string | null;
  steps: { name: string; task: string; parameters: Record<string, unknown>; graduation: string }[];
}

export interface TaskLine {
  path: string;
  name: string;
  doc: string;
  problem: string | null;
}

export interface Mistake {
  message: string;
  help?: string;
  place: { file: string; line: number; column: number; length: number };
}

export interface CheckedTask {
  task: TaskView | null;
  mistakes: Mistake[];
  text: string;
}

export interface SimulatedTask {
  session: SessionView;
  trials: number;
  /** Of simulated time. */
  seconds: number;
  /** In microliters. */
  water: number;
  ending: string;
  why: string;
}

export interface Invited {
  name: string;
  role: "pilot" | "child";
  code: string;
  until: Timestamp;
  /** What is typed for this terminal. */
  terminal: string;
  /** A sentence without its point each. */
  notes: string[];
}

export interface AgentLine {
  name: string;
  serial: string;
  role: "pilot" | "child";
  enrolled: Timestamp;
  here: boolean;
  last_here: Timestamp | null;
  revoked: Timestamp | null;
  becomes: string | null;
}
