/** A swarm on this computer: a terminal, and pilots with simulated rigs and animals. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../../..", import.meta.url));

export interface Swarm {
  url: string;
  data: string;
  /** The folder of tasks, as the terminal has it. */
  tasks: string;
  /** Has the terminal's program do something. */
  run(...options: string[]): void;
  /** Kills a pilot as a power cut would. */
  kill(pilot: string): void;
  end(): Promise<void>;
}

/** Who may log in, with what they may do, and their password. */
export interface User {
  name: string;
  role: "view" | "run" | "manage";
  password: string;
}

/**
 * Starts a swarm of programs in `bin`, in which time passes `speed` times as fast as it does; with users, its page
 * asks for a login.
 */
export async function swarm(
  bin: string,
  pilots: string[],
  speed: number,
  users: User[] = [],
): Promise<Swarm> {
  const data = await mkdtemp(join(tmpdir(), "bramble-page."));
  const configured = join(data, "terminal.toml");
  // Tasks of its own, which the page may change, named from where the configuration is.
  await cp(join(ROOT, "tasks"), join(data, "tasks"), { recursive: true });
  const inside = `../${basename(data)}/tasks`;
  await writeFile(configured, `[web]\ntasks = "${inside}"\n${users.length > 0 ? "login = true\n" : ""}`);
  for (const { name, role, password } of users) {
    const add = ["user", "add", name, "--role", role, "--data", data];
    execFileSync(join(bin, "bramble-terminal"), add, {
      input: `${password}\n`,
      stdio: ["pipe", "ignore", "inherit"],
    });
  }
  const started = new Map<string, ChildProcess>();
  const start = (name: string, program: string, ...options: string[]) => {
    const child = spawn(join(bin, program), options, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, BRAMBLE_DATA: data },
    });
    started.set(name, child);
    return child;
  };
  const at = `ipc://${data}/swarm.sock`;
  const terminal = start(
    "terminal",
    "bramble-terminal",
    "--config",
    configured,
    "serve",
    "--listen",
    at,
    "--seed",
    "7",
    "--web",
    "127.0.0.1:0",
  );
  const url = await said(terminal, /^page: (\S+?)\/?$/m);
  // The box of the demo that has everything on its own pins.
  const config = await readFile(join(ROOT, "config/pilot.toml"), "utf8");
  const own = join(data, "pilot.toml");
  await writeFile(own, config.replace(/^child = .*$/gm, "").replaceAll('"child"', '"simulated"'));
  for (const name of pilots)
    start(
      name,
      "bramble-pilot",
      "--config",
      own,
      "--name",
      name,
      "--data",
      join(data, name),
      "--speed",
      String(speed),
      "--seed",
      "7",
      "--terminal",
      at,
      "--children",
      `ipc://${data}/${name}.sock`,
    );
  const end = async () => {
    const ended = [...started.values()].map(
      (child) =>
        new Promise((done) =>
          child.exitCode === null && child.signalCode === null ? child.once("exit", done) : done(null),
        ),
    );
    for (const child of started.values()) child.kill("SIGTERM");
    await Promise.all(ended);
    await rm(data, { recursive: true, force: true });
  };
  const run = (...options: string[]) =>
    void execFileSync(join(bin, "bramble-terminal"), [...options, "--data", data], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  return {
    url,
    data,
    tasks: `${data}/${inside}`,
    run,
    kill: (pilot) => void started.get(pilot)?.kill("SIGKILL"),
    end,
  };
}

/** What a program says, once it has said what is looked for. */
function said(child: ChildProcess, what: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    let text = "";
    child.stdout?.on("data", (part: Buffer) => {
      text += part.toString();
      const match = what.exec(text);
      if (match?.[1]) found(match[1]);
    });
    child.once("exit", () => failed(new Error(`it ended, having said: ${text}`)));
  });
}
