import type { Alert, PilotStatus, SubjectInfo } from "../../src/api/types";

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
    addSubject(id: string): void;
  };
  /** What was asked for, oldest first. */
  asked: { path: string; body: Record<string, unknown> }[];
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
