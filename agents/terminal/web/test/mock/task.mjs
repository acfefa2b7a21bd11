// A task as the terminal describes one, and trials of an animal that learns it slowly.

const stage = (name, kind, parent, children, ways = []) => ({
  name,
  path: name,
  kind,
  heading: kind,
  notes: [],
  parent,
  children,
  ways,
  line: 1,
});
const way = (words, lead) => ({ words, leads: [lead] });

export const task = {
  name: "cued_choice",
  doc: "Cued choice: poke the center, then the side whose light comes on.",
  parameters: [
    {
      name: "reward",
      type: "volume",
      choices: [],
      unit: "uL",
      default: "4 uL",
      min: null,
      max: null,
      live: true,
      doc: "water for a correct poke",
    },
    {
      name: "window",
      type: "duration",
      choices: [],
      unit: "s",
      default: "10 s",
      min: null,
      max: null,
      live: false,
      doc: "time to answer",
    },
    {
      name: "block",
      type: "integers",
      choices: [],
      unit: null,
      default: "15 to 30",
      min: null,
      max: null,
      live: false,
      doc: "trials in a block",
    },
  ],
  hardware: [
    { name: "poke", kind: "digital_input", ports: ["left", "center", "right"], unit: "", doc: "" },
    { name: "light", kind: "digital_output", ports: ["left", "center", "right"], unit: "", doc: "" },
    { name: "valve", kind: "solenoid", ports: ["left", "center", "right"], unit: "", doc: "" },
  ],
  columns: [
    { name: "target", type: "choice", choices: ["left", "right"], unit: "", carried: false, doc: "" },
    { name: "response", type: "choice", choices: ["left", "right"], unit: "", carried: false, doc: "" },
    {
      name: "outcome",
      type: "choice",
      choices: ["correct", "error", "missed"],
      unit: "",
      carried: false,
      doc: "",
    },
    { name: "contrast", type: "number", choices: [], unit: "", carried: false, doc: "" },
    { name: "latency", type: "duration", choices: [], unit: "s", carried: false, doc: "" },
    { name: "opto", type: "boolean", choices: [], unit: "", carried: false, doc: "" },
  ],
  messages: [{ name: "help_animal", button: true }],
  stages: [
    stage("trials", "trials", null, [1]),
    stage("states", "states", 0, [2, 3, 4, 5]),
    stage("ready", "state", 1, [], [way("poke.center rises", { goto: 3 })]),
    stage(
      "choose",
      "state",
      1,
      [],
      [
        way("poke[target] rises", { goto: 4 }),
        way("poke[target.other] rises", { goto: 5 }),
        way("after window", "done"),
      ],
    ),
    stage("reward", "state", 1, [], [way("after pause", "done")]),
    stage("timeout", "delay", 1, [], [way("then", "done")]),
  ],
  plots: [
    { kind: "points", columns: ["target", "response"], of: null, window: null },
    { kind: "rolling_mean", columns: ["outcome"], of: "correct", window: 20 },
    { kind: "psychometric", columns: ["contrast", "response"], of: "right", window: null },
    { kind: "line", columns: ["latency"], of: null, window: null },
    { kind: "spans", columns: ["opto"], of: null, window: null },
  ],
};

/** Numbers from 0 to 1 that are the same for the same seed. */
export function dice(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const S = 1e9;

/** The next trial of a session: its row and its events. */
export function trial(session) {
  const { roll } = session;
  const number = session.rows.length + 1;
  const start = session.clock;
  const contrast = [-1, -0.5, -0.25, -0.12, 0, 0.12, 0.25, 0.5, 1][Math.floor(roll() * 9)];
  const target = contrast === 0 ? (roll() < 0.5 ? "left" : "right") : contrast > 0 ? "right" : "left";
  const skill = Math.min(6, 1 + number / 30);
  const right = roll() < 0.04 + 0.92 / (1 + Math.exp(-skill * contrast));
  const missed = roll() < 0.05;
  const response = missed ? null : right ? "right" : "left";
  const outcome = missed ? "missed" : response === target ? "correct" : "error";
  const latency = missed ? null : 0.25 + 1.2 * roll() ** 2;
  const poked = start + (0.3 + roll() * 1.2) * S;
  const answered = poked + (latency ?? 10) * S;
  const end = answered + (outcome === "error" ? 3 : 1) * S;
  const event = (t, kind, source, value = 0) => ({ t: Math.round(t), trial: number, kind, source, value });
  const events = [
    event(start, "stage start", "ready"),
    event(start, "output", "light.center", 1),
    event(poked, "input", "poke.center", 1),
    event(poked, "output", "light.center", 0),
    event(poked, "stage start", "choose"),
    event(poked, "output", `light.${target}`, 1),
    event(poked + 0.2 * S, "input", "poke.center", 0),
  ];
  if (response) events.push(event(answered, "input", `poke.${response}`, 1));
  events.push(event(answered, "output", `light.${target}`, 0));
  if (outcome === "correct") {
    events.push(event(answered, "stage start", "reward"), event(answered, "output", `valve.${target}`, 1));
    events.push(event(answered + 0.06 * S, "output", `valve.${target}`, 0));
    session.water += 4;
  } else if (outcome === "error") events.push(event(answered, "stage start", "timeout"));
  if (response) events.push(event(answered + 0.5 * S, "input", `poke.${response}`, 0));
  session.clock = end;
  const opto = number % 40 > 30;
  const values = { target, response, outcome, contrast, latency, opto };
  const row = { trial: number, start: Math.round(start), end: Math.round(end), ending: "done", values };
  if (!missed) session.counted.push(outcome === "correct");
  session.rows.push(row);
  session.events.push(...events);
  return { row, events };
}
