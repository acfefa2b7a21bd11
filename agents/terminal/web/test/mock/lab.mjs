// A lab that is made up: pilots, subjects, sessions, and what may be asked of them.
import { PROTOCOL, protocols, tasks } from "./protocols.mjs";
import { dice, task, trial } from "./task.mjs";

const ports = ["left", "center", "right"];
const rig = [
  { name: "poke", kind: "digital_input", ports, driver: "gpiocdev" },
  { name: "light", kind: "digital_output", ports, driver: "gpiocdev" },
  { name: "valve", kind: "solenoid", ports, driver: "gpiocdev" },
];
const disk = (free) => ({ free, size: 64e9 });
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const who = "anna@desk";

export class Lab {
  /** What the protocol's file says. */
  text = "protocol()";
  protocols = protocols();
  tasks = tasks();
  /** The swarm's agents. */
  agents = [];

  constructor(pilots, busy, seed = 1) {
    this.roll = dice(seed);
    this.subjects = new Map();
    this.pilots = new Map();
    this.alerts = [];
    this.past = [];
    for (let place = 1; place <= pilots; place += 1) {
      const name = `box${place}`;
      this.pilots.set(name, this.#pilot(name));
      const id = `M${String(place).padStart(3, "0")}`;
      this.addSubject(id, place);
      if (place <= busy) this.start(name, id, Math.floor(20 + this.roll() * 160));
    }
  }

  #pilot(name) {
    return {
      name,
      here: true,
      since: ago(7200),
      why: null,
      software: { program: "bramble-pilot", version: "0.1.0", host: name, system: "linux aarch64" },
      rig,
      children: [],
      unacknowledged: 0,
      catching_up: false,
      quality: {
        round_trip: Math.round(3e5 + this.roll() * 4e5),
        clock_error: Math.round(2e4 + this.roll() * 9e4),
        drift_ppm: 1.2,
        wall_ahead: 0.002,
      },
      health: {
        time: 0,
        unix_ns: 0,
        disk: disk(Math.round(2e10 + this.roll() * 3e10)),
        temperature: 48 + this.roll() * 9,
        power: null,
      },
      starting: null,
      session: null,
      last: null,
      hand: null,
      notice: null,
      run: null,
    };
  }

  addSubject(id, place = this.subjects.size + 1) {
    const step = 1 + (place % 3);
    const label = `${step} ${["free_water", "cued_choice", "two_choice"][step - 1]}`;
    const sessions = [];
    for (let number = 1; number <= 6 + (place % 9); number += 1) {
      const started = ago((15 - number) * 86_400 + 3600);
      const correct = number < 3 ? null : Math.min(0.95, 0.42 + number * 0.05 + this.roll() * 0.08);
      const end = {
        ended: ago((15 - number) * 86_400),
        ending: "stopped",
        why: "stopped by anna@desk",
        correct,
        water: 380 + this.roll() * 500,
      };
      const trials = Math.floor(120 + this.roll() * 200);
      sessions.push({
        number,
        uuid: `${id}-${number}`,
        task: number < 3 ? "free_water" : "cued_choice",
        pilot: `box${place}`,
        protocol: { protocol: "water_to_choice", step: number < 3 ? "free_water" : "cued_choice" },
        started,
        end,
        trials,
        events: trials * 14,
      });
    }
    const weights = sessions.map(({ started }, day) => ({
      weight: {
        when: started,
        grams: 25.2 - Math.min(day, 5) * 0.5 + this.roll() * 0.6,
        occasion: "before",
        who,
      },
      share: null,
    }));
    for (const one of weights) one.share = one.weight.grams / 25.2;
    const at = (seconds, what, from, to) => ({ when: ago(seconds), who, what, from, to });
    this.subjects.set(id, {
      id,
      uuid: id,
      file: `/lab/subjects/${id}.h5`,
      biography: {
        species: "Mus musculus",
        strain: "C57BL/6J",
        sex: place % 2 ? "female" : "male",
        birth: "2026-08-14",
        genotype: "wild type",
        notes: "",
        extra: { cage: String(10 + place) },
      },
      training: { protocol: PROTOCOL, step, label, finished: false, was: null, problem: null },
      sessions,
      weights,
      history: [
        at(15 * 86_400, "subject", "", id),
        at(14.9 * 86_400, "protocol", "", PROTOCOL),
        at(12 * 86_400, "graduated", "1 free_water", "2 cued_choice"),
      ],
      target: 1200,
      by_hand: 0,
    });
  }

  start(name, id, trials = 0) {
    const pilot = this.pilots.get(name);
    const run = {
      roll: dice(name.length * 7919 + Number(name.slice(3)) * 104_729),
      rows: [],
      events: [],
      counted: [],
      water: 0,
      clock: 5e9,
    };
    for (let one = 0; one < trials; one += 1) trial(run);
    pilot.run = run;
    pilot.session = {
      session: `${id}-${Date.now()}`,
      subject: id,
      owner: who,
      task: "cued_choice",
      hold: null,
      stopping: false,
      trials,
      correct: null,
      water: run.water,
      seconds: run.clock / 1e9,
      stages: ["trials", "states", "ready"],
      step: "2 cued_choice",
      recent: [],
      valves: ports.map((port) => ({ device: "valve", port })),
    };
    this.#count(pilot);
  }

  #count(pilot) {
    const { run, session } = pilot;
    const recent = run.counted.slice(-50);
    const last = recent.slice(-20);
    const correct = last.length ? last.filter(Boolean).length / last.length : null;
    pilot.session = {
      ...session,
      trials: run.rows.length,
      correct,
      recent,
      water: run.water,
      seconds: run.clock / 1e9,
    };
  }

  /** Another trial of a pilot's session; what came of it. */
  step(name) {
    const pilot = this.pilots.get(name);
    if (!pilot.session || pilot.session.hold || !pilot.here) return undefined;
    const made = trial(pilot.run);
    this.#count(pilot);
    if (pilot.session.stopping) {
      this.end(name);
      return made;
    }
    pilot.session.stages = [
      "trials",
      "states",
      ["ready", "choose", "reward", "timeout"][Math.floor(this.roll() * 4)],
    ];
    return made;
  }

  /** A pilot's session ends, by itself or because somebody wants it; its record stays for who looks at it. */
  end(name, { ending = "stopped", why = "stopped by anna@desk", graduated = false } = {}) {
    const pilot = this.pilots.get(name);
    const { session, subject, task, step, trials, correct } = pilot.session;
    const ended = new Date().toISOString();
    pilot.last = { session, subject, task, step, trials, correct, ended, ending, graduated, why };
    const { sessions } = this.subjects.get(subject);
    const protocol = { protocol: "water_to_choice", step: "cued_choice" };
    const end = { ended, ending, why, correct, water: pilot.session.water };
    const number = sessions.length + 1;
    sessions.push({
      number,
      uuid: session,
      task,
      pilot: name,
      protocol,
      started: ended,
      end,
      trials,
      events: 1,
    });
    pilot.over = session;
    pilot.session = null;
  }

  assign(id, { protocol, step }) {
    const label = `${step} ${["free_water", "cued_choice", "two_choice"][step - 1]}`;
    this.subjects.get(id).training = { protocol, step, label, finished: false, was: null, problem: null };
  }

  /** Who is on the protocol. */
  on() {
    const names = ["free_water", "short_hold", "two_choice"];
    return [...this.subjects.values()]
      .filter(({ training }) => training)
      .map(({ id, training }) => ({ id, step: names[training.step - 1] }));
  }

  status() {
    const pilots = [...this.pilots.values()].map(view);
    const health = { time: 0, unix_ns: 0, disk: disk(412e9), temperature: null, power: null };
    return { data: "/lab", listen: "tcp://0.0.0.0:5600", health, pilots, refused: [], notice: null };
  }

  timing() {
    const bars = (counts) => {
      const ends = [5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 9.2e15];
      return ends.map((end, place) => ({ up_to: end * 1e3, count: counts[place] ?? 0 }));
    };
    const delays = (p50, counts) => ({
      count: counts.reduce((sum, count) => sum + count, 0),
      bars: bars(counts),
      p50,
      p99: p50 * 2,
      p99_9: p50 * 4,
      worst: p50 * 9,
    });
    return [...this.pilots.values()].map(({ name, here, session }) => ({
      pilot: name,
      here,
      round_trip: delays(310e3, [0, 0, 0, 0, 3, 120, 1800, 60, 2]),
      reaction: session && { session: session.session, delays: delays(41e3, [0, 2, 190, 2400, 88, 7, 1]) },
    }));
  }

  lines() {
    return [...this.subjects.values()].map(({ id, training, sessions, biography }) => ({
      id,
      problem: null,
      training,
      sessions: sessions.length,
      trials: sessions.reduce((sum, one) => sum + one.trials, 0),
      last: sessions.at(-1)?.started ?? null,
      pilot: sessions.at(-1)?.pilot ?? null,
      biography,
      life: this.info(id).life,
    }));
  }

  info(id) {
    const { weights, history, target, by_hand, ...rest } = this.subjects.get(id);
    const weight = weights.at(-1);
    const day = new Date().toISOString().slice(0, 10);
    const life = {
      today: day,
      baseline: weights[0]
        ? { mass: weights[0].weight.grams, set: null, since: weights[0].weight.when }
        : null,
      limit: 0.85,
      weight: weight
        ? { weight: weight.weight, day: weight.weight.when.slice(0, 10), share: weight.share }
        : null,
      target,
      water: { sessions: 612, by_hand, unknown: 0 },
    };
    return { ...rest, life };
  }

  /** A session that is over, with the events of 30 of its trials, as the terminal tells of it. */
  recorded(id, number, from) {
    const summary = this.subjects.get(id).sessions.find((one) => one.number === number);
    if (!summary) return undefined;
    const { session, seconds } = simulated(summary.trials, number);
    const all = session.rows;
    const begin = Math.max(0, Math.min(from ?? all.length, all.length - 29) - 1);
    const rows = all.slice(begin, begin + 30);
    const [first, last] = [rows[0]?.trial ?? 1, rows.at(-1)?.trial ?? 0];
    const events = session.events.filter((event) => event.trial >= first && event.trial <= last);
    const [start, end] = [rows[0]?.start ?? 0, rows.at(-1)?.end ?? 0];
    const streams = { "wheel.position": wheel(end, (end - start) / 1000) };
    const minutes = (count) => count * 60e9;
    const notes = [
      { t: minutes(4), text: "paused by anna@desk: the tube is loose", who: null },
      { t: minutes(6), text: "resumed by anna@desk", who: null },
      { t: minutes(7), text: "licks the tube from the side", who },
      { t: minutes(9), text: "4 uL of water by hand from valve.left", who: null },
    ];
    return {
      summary,
      score: { fine: 9, of: 10 },
      seconds,
      first,
      last,
      session: {
        ...session,
        rows: from === undefined ? all : rows,
        events,
        streams,
        notes,
        parameters: { reward: "4 uL", window: "10 s" },
      },
    };
  }

  session(name) {
    const { run, session, over } = this.pilots.get(name);
    return {
      session: session?.session ?? over,
      task,
      parameters: { reward: "4 uL", window: "10 s" },
      rows: run.rows,
      events: run.events.slice(-4000),
      notes: [{ t: 40e9, text: "4 uL of water by hand from valve.left", who: null }],
      streams: { "wheel.position": wheel(run.clock) },
    };
  }
}

/** A wheel, turned now and then: a thousand buckets, 20 ms each. */
function wheel(end, wide = 20e6) {
  return Array.from({ length: 1000 }, (_, place) => {
    const at = 12 * Math.sin(place / 90) + 6 * Math.sin(place / 23);
    return { t: Math.round(end - (1000 - place) * wide), min: at - 0.4, max: at + 0.4, last: at };
  });
}

export function view({ run, over, ...status }) {
  return status;
}

/** A session of the task that was simulated. */
export function simulated(trials, seed) {
  const run = { roll: dice(seed + 1), rows: [], events: [], counted: [], water: 0, clock: 0 };
  for (let one = 0; one < trials; one += 1) trial(run);
  const session = {
    session: "simulated",
    task,
    parameters: {},
    rows: run.rows,
    events: run.events,
    notes: [],
    streams: {},
  };
  return { session, trials, seconds: run.clock / 1e9, water: run.water, ending: "stopped", why: "" };
}

/** What a check of a text finds: each line that says `oops` is a mistake. */
export function checked(text) {
  const mistakes = text.split("\n").flatMap((line, place) => {
    const column = line.indexOf("oops") + 1;
    // What is loaded has its own mistakes.
    const file = line.includes("load") ? "lib/bias.star" : "cued_choice.star";
    return column
      ? [
          {
            message: "there is no `oops`",
            help: "write `reward`",
            place: { file, line: place + 1, column, length: 4 },
          },
        ]
      : [];
  });
  return { task: mistakes.length ? null : task, mistakes, text, root: "cued_choice.star" };
}
