/** What goes over the API, by the names that the page uses: of the terminal's own description of it. */

import type { components } from "./schema";

type Schemas = components["schemas"];

/**
 * What the terminal answers. A property of which its description says that it may be missing is there all the
 * same, and `null`: the description is also that of what is asked for, where it may be left out.
 */
type Whole<T> = T extends (infer One)[]
  ? Whole<One>[]
  : T extends object
    ? { [Name in keyof T]-?: Whole<T[Name]> }
    : T;

/** Nanoseconds of a session's own clock. */
export type Ns = number;

export type Health = Whole<Schemas["Health"]>;
export type Quality = Whole<Schemas["Quality"]>;
export type InHand = Whole<Schemas["InHand"]>;
export type RigDevice = Whole<Schemas["RigDevice"]>;
export type PortName = Whole<Schemas["PortName"]>;
export type ChildStatus = Whole<Schemas["ChildStatus"]>;
export type EndedSession = Whole<Schemas["EndedSession"]>;
export type SessionStatus = Whole<Schemas["SessionStatus"]>;
export type PilotStatus = Whole<Schemas["PilotStatus"]>;
export type Status = Whole<Schemas["Status"]>;

/** What a column held in a trial: a choice by its name, a duration in seconds, a volume in microliters. */
export type Value = string | number | boolean | null;
export type Row = Omit<Whole<Schemas["RowView"]>, "values"> & { values: Record<string, Value> };
export type SessionEvent = Whole<Schemas["EventView"]>;
export type Bucket = Whole<Schemas["Bucket"]>;
export type Note = Whole<Schemas["NoteView"]>;

export type Parameter = Whole<Schemas["ParameterSummary"]>;
export type Column = Whole<Schemas["ColumnSummary"]>;
export type Device = Whole<Schemas["DeviceSummary"]>;
export type Lead = Schemas["LeadSummary"];
export type Way = Schemas["WaySummary"];
export type Stage = Whole<Omit<Schemas["StageSummary"], "ways">> & { ways: Way[] };
export type PlotKind = "points" | "line" | "rolling_mean" | "spans" | "psychometric";
export type Plot = Omit<Whole<Schemas["PlotSummary"]>, "kind"> & { kind: PlotKind };
export type TaskView = Omit<Whole<Schemas["TaskView"]>, "stages" | "plots"> & {
  stages: Stage[];
  plots: Plot[];
};

export type SessionView = Omit<Whole<Schemas["SessionView"]>, "task" | "rows"> & {
  task: TaskView | null;
  rows: Row[];
};

export type Snapshot = Omit<Whole<Schemas["Snapshot"]>, "sessions"> & {
  kind: "snapshot";
  sessions: Record<string, SessionView>;
};

/** What didn't change is left out. */
export type Changes = { kind: "changes"; at: string } & Partial<
  Omit<Whole<Schemas["Changes"]>, "sessions" | "rows" | "alerts" | "terminal"> & {
    alerts: Alert[];
    terminal: Whole<Schemas["TerminalNow"]>;
    sessions: Record<string, SessionView>;
    rows: Record<string, Row[]>;
  }
>;

export type Training = Whole<Schemas["Training"]>;
export type SubjectLine = Whole<Schemas["SubjectLine"]>;
export type Biography = Whole<Schemas["Biography"]>;
export type Occasion = Schemas["Occasion"];
export type Weight = Whole<Schemas["Weight"]>;
export type WeightLine = Whole<Schemas["WeightLine"]>;
export type Life = Whole<Schemas["Life"]>;
export type SessionSummary = Whole<Schemas["SessionSummary"]>;
export type RecordedSession = Omit<Whole<Schemas["RecordedSession"]>, "session"> & { session: SessionView };
export type SubjectInfo = Whole<Omit<Schemas["SubjectInfo"], "behind">> &
  Pick<Schemas["SubjectInfo"], "behind">;
export type Change = Whole<Schemas["Change"]>;
export type EachDone = Whole<Schemas["EachDone"]>;

export type Role = Schemas["UserRole"];
export type LoginInfo = Whole<Schemas["LoginInfo"]>;
export type LabInfo = Whole<Schemas["LabInfo"]>;

export type ProtocolLine = Whole<Schemas["ProtocolLine"]>;
export type TaskLine = Whole<Schemas["TaskLine"]>;
export type Mistake = Schemas["Mistake"];
export type CheckedTask = { task: TaskView | null; mistakes: Mistake[]; text: string; root: string };
export type SimulatedTask = Omit<Whole<Schemas["SimulatedTask"]>, "session"> & { session: SessionView };

export type Invited = Whole<Schemas["Invited"]>;
export type AgentLine = Whole<Schemas["AgentLine"]>;

export type Alert = Whole<Schemas["Alert"]>;
