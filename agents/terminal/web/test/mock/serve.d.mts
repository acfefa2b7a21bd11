import type { AgentLine, Alert, PilotStatus, ProtocolLine, SubjectInfo, TaskLine } from "../../src/api/types";

export interface Mock {
  url: string;
  port: number;
  lab: {
    pilots: Map<string, PilotStatus>;
    subjects: Map<string, SubjectInfo>;
    /** Tells every page how these pilots are now. */
    changed(names: string[]): void;
    /** These alerts are on, and every page is told. */
    alerted(alerts: Alert[]): void;
    protocols: ProtocolLine[];
    tasks: TaskLine[];
    agents: AgentLine[];
    /** What a protocol's file says. */
    text: string;
    /** Who is on the protocol. */
    on(): ProtocolLine["subjects"];
    /** Those that ended. */
    past: Alert[];
    addSubject(id: string): void;
    /** The session of a pilot ends. */
    end(name: string, how?: { ending?: string; why?: string; graduated?: boolean }): void;
  };
  /** What was asked for, oldest first. */
  asked: { path: string; body: Record<string, unknown> }[];
  /** Says nothing any more, without breaking any line; or says what there is again. */
  hush(yes: boolean): void;
  /** Breaks every page's line. */
  drop(): void;
  close(): Promise<void>;
}

export function serve(options?: {
  port?: number;
  pilots?: number;
  busy?: number;
  rate?: number;
}): Promise<Mock>;
