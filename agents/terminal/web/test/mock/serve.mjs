// A terminal that is made up, for looking at the page and for testing it: `node test/mock/serve.mjs --help`.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { checked, Lab, simulated, view } from "./lab.mjs";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const TEXT = readFileSync(new URL("../../../../../tasks/cued_choice.star", import.meta.url), "utf8");
// As the terminal's own, so that what it forbids is noticed here.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Serves a made-up lab; `rate` is how many trials a second each of its sessions has. */
export function serve({ port = 0, pilots = 12, busy = 9, rate = 0.5 } = {}) {
  const lab = new Lab(pilots, busy);
  const asked = [];
  const http = createServer((request, response) => answer(lab, asked, request, response));
  const live = new WebSocketServer({ server: http, path: "/api/v1/live" });
  const clients = new Set();
  live.on("connection", (socket, request) => {
    const client = { socket, watch: new URL(request.url, "http://x").searchParams.getAll("watch") };
    clients.add(client);
    socket.on("close", () => clients.delete(client));
    socket.on("message", (text) => {
      client.watch = JSON.parse(text).watch;
      say(client, { kind: "changes", at: now(), sessions: sessions(client) });
    });
    const { alerts } = lab;
    say(client, { kind: "snapshot", at: now(), status: lab.status(), sessions: sessions(client), alerts });
  });
  const now = () => new Date().toISOString();
  let silent = false;
  const say = (client, what) => silent || client.socket.send(JSON.stringify(what));
  const sessions = (client) =>
    Object.fromEntries(
      client.watch.filter((name) => lab.pilots.get(name)?.run).map((name) => [name, lab.session(name)]),
    );
  lab.changed = (names) => {
    const pilots = names.map((name) => view(lab.pilots.get(name)));
    for (const client of clients)
      say(client, {
        kind: "changes",
        at: now(),
        pilots,
        sessions: Object.fromEntries(
          Object.entries(sessions(client)).filter(([name]) => names.includes(name)),
        ),
      });
  };
  lab.alerted = (alerts) => {
    lab.alerts = alerts;
    for (const client of clients) say(client, { kind: "changes", at: now(), alerts });
  };
  const [EVERY, BEAT] = [50, 2500];
  const timer = setInterval(() => {
    const [rows, events, changed] = [{}, {}, []];
    for (const name of lab.pilots.keys()) {
      if (Math.random() > (rate * EVERY) / 1000) continue;
      const made = lab.step(name);
      if (!made) continue;
      rows[name] = [made.row];
      events[name] = made.events;
      changed.push(view(lab.pilots.get(name)));
    }
    if (changed.length === 0) return;
    for (const client of clients) {
      const own = (all) =>
        Object.fromEntries(client.watch.filter((name) => all[name]).map((name) => [name, all[name]]));
      say(client, { kind: "changes", at: now(), pilots: changed, rows: own(rows), events: own(events) });
    }
  }, EVERY);
  // As the terminal does: whoever hears nothing for long knows that it isn't heard.
  const beat = setInterval(() => {
    for (const client of clients) say(client, { kind: "changes", at: now() });
  }, BEAT);
  const hush = (yes) => {
    silent = yes;
  };
  const drop = () => {
    for (const { socket } of clients) socket.terminate();
  };
  const close = () => {
    clearInterval(timer);
    clearInterval(beat);
    drop();
    http.closeAllConnections();
    return new Promise((done) => http.close(done));
  };
  return new Promise((ready) => {
    http.listen(port, "127.0.0.1", () =>
      ready({
        url: `http://127.0.0.1:${http.address().port}`,
        port: http.address().port,
        lab,
        asked,
        drop,
        hush,
        close,
      }),
    );
  });
}

async function answer(lab, asked, request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  const from = searchParams.get("from");
  if (!pathname.startsWith("/api/v1/")) return file(pathname, response);
  const json = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const refuse = (status, message, more = {}) => json(status, { reason: "conflict", message, ...more });
  const path = pathname.slice("/api/v1".length);
  const [, kind, id, what, number, part, form] = path.split("/").map(decodeURIComponent);
  if (request.method === "GET") {
    if (path === "/lab")
      return json(200, {
        zone: "Europe/Berlin",
        utc_offset: 3600,
        name: "desk",
        institution: "",
        lab: "",
        tasks: "/lab/tasks",
        who: "anna@desk",
        role: "manage",
      });
    if (path === "/status") return json(200, lab.status());
    if (path === "/subjects") return json(200, lab.lines());
    if (path === "/login") return json(200, { required: false, who: "anna@desk", role: "manage" });
    if (path === "/agents") return json(200, lab.agents);
    if (path === "/alerts") return json(200, { on: lab.alerts, past: lab.past, telling: null });
    if (path === "/timing") return json(200, lab.timing());
    if (path === "/tasks") return json(200, lab.tasks);
    if (path === "/tasks/check") return json(200, checked(TEXT));
    if (path === "/protocols")
      return json(
        200,
        lab.protocols.map((one) => ({ ...one, text: lab.text, subjects: lab.on() })),
      );
    if (kind === "subjects" && lab.subjects.has(id)) {
      if (!what) return json(200, lab.info(id));
      if (what === "sessions" && part === "export")
        return download(
          response,
          `${id}-${number.padStart(4, "0")}${form === "nwb" ? ".nwb" : `-${form}.zip`}`,
        );
      if (what === "export") return download(response, `${id}-${number}.zip`);
      const recorded = () => lab.recorded(id, Number(number), from === null ? undefined : Number(from));
      if (what === "sessions" && recorded()) return json(200, recorded());
      if (what === "history") return json(200, lab.subjects.get(id).history);
      if (what === "weights") return json(200, lab.subjects.get(id).weights);
    }
    return refuse(404, `there is nothing at GET ${path}`);
  }
  let text = "";
  for await (const part of request) text += part;
  const body = JSON.parse(text);
  asked.push({ path, body });
  if ("who" in body && !/^\S[^@]*@\S+$/.test(body.who))
    return refuse(422, `\`${body.who}\` says not who you are`);
  const note = (what, to) =>
    lab.subjects.get(id)?.history.push({ when: new Date().toISOString(), who: body.who, what, from: "", to });
  const of = (subject) => [...lab.pilots.values()].find((one) => one.session?.subject === subject);
  if (path === "/subjects") {
    if (lab.subjects.has(body.id))
      return refuse(409, `there is a subject ${body.id} already`, { help: "choose another name" });
    lab.subjects.set(body.id, {
      id: body.id,
      uuid: body.id,
      file: `/lab/subjects/${body.id}.h5`,
      biography: body.biography,
      training: null,
      sessions: [],
      weights: [],
      history: [],
      target: null,
      by_hand: 0,
    });
    return json(200, { done: `${body.id} was added` });
  }
  if (path === "/subjects/assign") {
    for (const subject of body.subjects) lab.assign(subject, body);
    return json(
      200,
      body.subjects.map((subject) => ({ subject, done: `${subject} is assigned`, refused: null })),
    );
  }
  if (kind === "alerts" && what === "seen") {
    const seen = { who: body.who, at: new Date().toISOString() };
    lab.alerted(lab.alerts.map((alert) => (alert.id === Number(id) ? { ...alert, seen } : alert)));
    return json(
      200,
      lab.alerts.find((alert) => alert.id === Number(id)),
    );
  }
  if (kind === "alerts" && what === "silence") {
    const silent_until = new Date(Date.now() + body.time / 1e6).toISOString();
    lab.alerted(lab.alerts.map((alert) => (alert.id === Number(id) ? { ...alert, silent_until } : alert)));
    return json(
      200,
      lab.alerts.find((alert) => alert.id === Number(id)),
    );
  }
  if (path === "/link-test") {
    const link = ({ pilot, round_trip }) => ({
      pilot,
      round_trip,
      to_terminal: 11.2e6,
      to_pilot: 11.4e6,
      lost: 0,
    });
    return json(200, { apart: lab.timing().map(link), together: lab.timing().map(link) });
  }
  if (path === "/tasks/check") return json(200, checked(body.text ?? TEXT));
  if (path === "/tasks/simulate") return json(200, simulated(body.trials, body.seed));
  if (path === "/protocols") {
    if (body.change && body.change.text !== lab.text)
      return refuse(409, `${body.change.path} was changed meanwhile, and nothing was written`);
    return json(200, {
      path: body.change?.path ?? `/lab/tasks/protocols/${body.file}.star`,
      name: body.name,
      doc: body.doc,
      problem: null,
      text: "",
      steps: [],
      subjects: [],
      kept: body.change ? `${body.change.path}.2026-11-27T093000` : null,
    });
  }
  if (path === "/sessions") {
    if (["M012", "M013"].includes(body.subject) && !body.confirm.includes("other-box"))
      return refuse(409, `${body.subject} is usually in box12, and not in this box`, {
        confirm: ["other-box"],
      });
    lab.start(body.pilot, body.subject);
    lab.changed([body.pilot]);
    return json(200, { done: `${body.subject} started on ${body.pilot}` });
  }
  if (path === "/stop") {
    const pilot = lab.pilots.get(body.pilot);
    if (body.after_trial) pilot.session = { ...pilot.session, stopping: true };
    else lab.end(body.pilot);
    lab.changed([body.pilot]);
    return json(200, { done: `the session on ${body.pilot} was stopped` });
  }
  if (what === "pause" || what === "resume") {
    const pilot = of(id);
    pilot.session = { ...pilot.session, hold: what === "pause" ? { since: { seconds: 1 } } : null };
    lab.changed([pilot.name]);
    return json(200, { done: `${id} ${what}d` });
  }
  if (what === "weights") {
    const first = lab.subjects.get(id).weights[0]?.weight.grams ?? body.mass;
    lab.subjects.get(id).weights.push({
      weight: { when: new Date().toISOString(), grams: body.mass, occasion: body.occasion, who: body.who },
      share: body.mass / first,
    });
    return json(200, { done: `${id} weighs ${body.mass} g` });
  }
  if (what === "protocol") {
    lab.assign(id, body);
    return json(200, { done: `${id} is at step ${body.step}` });
  }
  if (what === "notes") note("note", body.text);
  return json(200, { done: `done: ${what}` });
}

function download(response, name) {
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${name}"`,
  });
  response.end("made up");
}

function file(pathname, response) {
  let path = join(DIST, pathname);
  if (!path.startsWith(DIST) || !existsSync(path) || statSync(path).isDirectory())
    path = join(DIST, "index.html");
  response.writeHead(200, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-security-policy": POLICY,
  });
  createReadStream(path).pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean" },
      port: { type: "string", default: "5680" },
      pilots: { type: "string", default: "12" },
      busy: { type: "string", default: "9" },
      rate: { type: "string", default: "0.5" },
    },
  });
  if (values.help)
    console.log(
      "Usage: node test/mock/serve.mjs [--port N] [--pilots N] [--busy N] [--rate TRIALS-A-SECOND]",
    );
  else {
    const number = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]));
    console.log(`page: ${(await serve(number)).url}/`);
  }
}
