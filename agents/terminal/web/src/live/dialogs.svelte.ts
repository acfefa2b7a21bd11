/** Which dialog is open: one at a time, wherever it was asked for. */

export type Open =
  | { what: "start"; pilot?: string; subject?: string }
  | { what: "stop"; pilot: string }
  | { what: "pause"; pilot: string }
  | { what: "reward"; pilot: string }
  | { what: "note"; subjects: string[] }
  | { what: "weigh"; subject: string }
  | { what: "weigh all"; subjects: string[] }
  | { what: "water"; subject: string }
  | { what: "care"; subject: string }
  | { what: "export"; subject: string; session?: number }
  | { what: "add" }
  | { what: "edit"; subject: string }
  | { what: "assign"; subjects: string[]; protocol?: string }
  | { what: "who" };

class Dialogs {
  open: Open | undefined = $state.raw();

  ask(open: Open): void {
    this.open = open;
  }

  readonly close = (): void => {
    this.open = undefined;
  };
}

export const dialogs = new Dialogs();
