"""What is proved, in order. Each proof returns what it found, or says what is wrong."""

import json
import os
import re
import subprocess
import sys
import time

from .lab import Lab
from .lines import Comparison, Lines
from .machine import HERE, SCRIPTS, Machine, Skipped, build_kit, free_port

TASKS = SCRIPTS.parent / "tasks"
POKES = {"poke.left": 17, "poke.center": 27, "poke.right": 22}
LIGHTS = {"light.left": 5, "light.center": 6, "light.right": 13}
VALVES = {"valve.left": 16, "valve.center": 20, "valve.right": 21}
# What outputs and edges may differ by, in seconds, and how much later than on a
# board something may be: the machine's processors are emulated, and wait for each
# other and for whatever else this computer does.
SLACK = 0.1
# As scripts/hardware/box says.
WATCHDOG = 1.0
# How many edges a storm has; an emulated processor makes about 5,000 a second.
STORM = 20_000

PROOFS = {}


def proof(function):
    PROOFS[function.__name__] = function
    return function


class Stage:
    """The machine with two boxes in it, and the lab; made when they are first asked for.

    Each proof finds both boxes and the lab running, whatever became of the one before.
    """

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.lab = self.machine = self.made = self.broken = None
        self.log = open(folder / "machine.log", "wb")

    def __iter__(self):
        """The lab and the machine."""
        if self.broken:
            again = Skipped if isinstance(self.broken, Skipped) else AssertionError
            raise again(f"as before: {self.broken}")
        if not self.made:
            try:
                self.make()
            except Exception as broken:
                self.broken = broken
                raise
        self.keep()
        return iter(self.made)

    def make(self):
        build_kit()
        port = free_port()
        agents = [self.folder / "bramble-pilot", self.folder / "bramble-child"]
        for agent in agents:
            subprocess.run(["strip", "-o", agent, self.programs / agent.name], check=True)
        self.lab = Lab(self.programs, self.folder, port)
        self.machine = Machine(agents, port, self.log)
        self.furnish(self.lab, self.machine)
        self.made = self.lab, self.machine

    def keep(self):
        """Starts what doesn't run of the terminal and the two pilots."""
        self.lab.keep()
        for box in ("box1", "box2"):
            if not self.machine.alive(box):
                start_pilot(self.lab, self.machine, box, f"{box}.toml")
            self.lab.wait_for_pilot(box)

    def furnish(self, lab, machine):
        """Calibrates the valves, as 40 uL/s, and adds the subjects."""
        for port in ("left", "center", "right"):
            calibrate = (
                f"bramble-pilot --config /app/box1.toml calibrate valve.{port} --pulses 2 "
                f"--durations 20ms,200ms --every 500ms --weights 0.0016,0.016 --yes 2>&1"
            )
            # On a computer that is very busy a valve may miss a turn, and says so.
            machine.until(f"{calibrate}; echo status $?", "status 0", 60)
        for subject in ("M001", "M002", "M003", "M004", "M005", "M006"):
            lab.tell("subject", "add", subject)

    def close(self):
        try:
            if self.machine:
                self.keep_logs()
                self.machine.stop()
        finally:
            if self.lab:
                self.lab.kill()
            self.log.close()

    def keep_logs(self):
        """Of what ran in the machine, as far as it still tells them."""
        for box in ("box1", "box2", "box3", "box4", "hands"):
            try:
                self.log.write(f"\n== {box}\n{self.machine.log(box)}".encode())
            except OSError as why:
                self.log.write(f"\n== {box}: {why}".encode())

    def show_logs(self):
        for name in ("terminal.log", "machine.log"):
            if (self.folder / name).exists():
                print(f"== {name}\n{(self.folder / name).read_text(errors='replace')[-8000:]}", file=sys.stderr)


def start_pilot(lab, machine, name, config, user="root"):
    """Starts a pilot, which joins the swarm first where it isn't of it yet."""
    pilot = f"/app/bramble-pilot --config /app/{config} --name {name} --data /tmp/{name}"
    as_user = "{}" if user == "root" else f"su -s /bin/sh {user} -c 'exec {{}}'"
    if "yes" not in machine.run(f"[ -e /tmp/{name}/keys/identity.pem ] && echo yes"):
        said = machine.run(as_user.format(f"{pilot} join 127.0.0.1 {lab.invite(name)}") + " 2>&1; echo status $?")
        assert "status 0" in said, f"{name} does not join: {said}"
    machine.start(name, as_user.format(pilot))


def milliseconds(seconds):
    return f"{seconds * 1e3:.1f} ms"


def microseconds(seconds):
    return f"{seconds * 1e6:.0f} us"


def agrees(session, machine, inputs, outputs, slack=SLACK):
    """Holds a session against the lines, edge by edge."""
    found = Comparison(session, Lines(machine), inputs, outputs)
    assert not found.differences, "; ".join(found.differences)
    assert found.delays and found.input_errors, "nothing happened that could be compared"
    assert max(map(abs, found.delays)) < slack, f"a line changed {milliseconds(max(found.delays, key=abs))} late"
    assert max(found.input_errors) < SLACK, f"an input's time is {milliseconds(max(found.input_errors))} off"
    middle = sorted(found.delays)[len(found.delays) // 2]
    worst = max(found.delays, key=abs)
    return (
        f"{found.edges} edges in the file are those of the lines; outputs are off by {microseconds(middle)}, at worst "
        f"{microseconds(worst)}; inputs by at most {microseconds(max(found.input_errors))}"
    )


def valve_opens(machine):
    """Pokes, and waits until the left valve is open."""
    machine.run("animal poke 17 0.02")
    machine.until("cat /sim/sim_gpio16/value", "1", 5)


def begin_sugar_pellet(lab, machine):
    lab.begin("M002", "box2", TASKS / "sugar_pellet.star")
    # Ended in the middle of a bite it would leave its line up.
    if not machine.alive("nibbler"):
        machine.start("nibbler", "animal nibbler")


@proof
def sugar_pellet_starts(stage):
    lab, machine = stage
    begin_sugar_pellet(lab, machine)
    return "it runs beside all that follows"


@proof
def free_water(stage):
    lab, machine = stage
    machine.start("poker", "animal poker")
    try:
        lab.begin("M001", "box1", TASKS / "free_water.star", "--trials", "6", "--param", "pause=300 ms")
        session = lab.ended("M001")
    finally:
        machine.end("poker")
        machine.run("for line in 17 27 22; do echo pull-down >/sim/sim_gpio$line/pull; done")
    assert session.trials == 6, f"{session.trials} trials, {session.ending}: {session.why}"
    return f"{session.trials} trials; " + agrees(session, machine, POKES, LIGHTS | VALVES)


@proof
def pulse_ends_without_a_terminal(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    valve_opens(machine)
    lab.kill()
    time.sleep(2)
    lab.keep()
    lab.wait_for_pilot("box1")
    lab.wait_for_pilot("box2")
    opened, closed = [at for at, _ in Lines(machine).outputs(16, 0, 1e9)[-2:]]
    error = closed - opened - 1.5
    assert abs(error) < SLACK, f"the valve was open for {closed - opened:.3f} s"
    return f"a valve to be open for 1.5 s was {milliseconds(error)} longer when the terminal was killed"


@proof
def edge_storm(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    said = machine.run(f"animal storm 22 {STORM} & sleep 0.3; animal poke 17 0.02; wait")
    lines = Lines(machine)
    poked, opened = lines.mark("moves 17 up"), [at for at, level in lines.outputs(16, 0, 1e9) if level][-1]
    assert 0 < opened - poked < SLACK, f"the valve opened {milliseconds(opened - poked)} after the poke"
    # The line is listened to again a second after it was silenced.
    time.sleep(1.5)
    lab.tell("stop", "M003")
    session = lab.ended("M003")
    assert session.ending == "stopped", f"the session ended as {session.ending}: {session.why}"
    storm = [(kind, value) for _, kind, port, value in session.events if port == "poke.right"]
    edges = [value for kind, value in storm if kind == "input"]
    lost = sum(value for kind, value in storm if kind == "lost")
    # Most of them came while the line was not listened to.
    assert 0 < len(edges) + lost < STORM / 4, f"{len(edges)} edges recorded, {lost:.0f} noted as lost"
    assert edges[-1] == 0, "the line is low after the storm, and high in the file"
    notes = [note for note in session.notes if "poke.right" in note and "changes so often" in note]
    assert notes, f"the storm is not noted, but {session.notes}"
    return (
        f"{said.strip()}: {len(edges)} recorded, {lost:.0f} noted as lost before the line was "
        f"silenced, for a second at a time; another port was answered after {milliseconds(opened - poked)}"
    )


@proof
def watchdog(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    valve_opens(machine)
    machine.run("animal mark stopped; kill -STOP $(cat /tmp/box1.pid); sleep 2; kill -CONT $(cat /tmp/box1.pid)")
    lines = Lines(machine)
    low = lines.low_after(16, lines.mark("stopped"))
    assert low is not None and low < WATCHDOG + SLACK, f"the valve was low after {low} s"
    session = lab.ended("M003", 30)
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    return f"the valve was low {milliseconds(low)} after the pilot hung (watchdog {milliseconds(WATCHDOG)}): {session.why}"


@proof
def killed_pilot(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    # So that the line goes up again if everybody lets go of it.
    machine.run("echo pull-up >/sim/sim_gpio16/pull")
    valve_opens(machine)
    machine.run("animal mark killed; kill -9 $(cat /tmp/box1.pid)")
    time.sleep(1)
    lines, value = Lines(machine), machine.run("cat /sim/sim_gpio16/value").strip()
    start_pilot(lab, machine, "box1", "box1.toml")
    lab.wait_for_pilot("box1")
    session = lab.ended("M003", 30)
    low = lines.low_after(16, lines.mark("killed"))
    assert low is not None and low < 0.05 + SLACK, f"the valve was low after {low} s"
    assert value == "0", "the line went up again"
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    return f"the valve was low {milliseconds(low)} after SIGKILL (50 ms on a board) and stayed so; {session.why}"


def refusal(stage, name, config, *words, user="root"):
    """What a pilot without its hardware says, and that it refuses to start a session."""
    lab, machine = stage
    start_pilot(lab, machine, name, config, user)
    try:
        said = machine.until(f"cat /tmp/{name}.log", words[0])
        for word in words:
            assert word in said, f"`{word}` is not in: {said}"
        lab.wait_for_pilot(name)
        refused = lab.tell("start", "M004", "--pilot", name, "--task", str(HERE / "long_drop.star"), check=False)
        assert refused.returncode, f"it starts sessions: {refused.stdout}"
    finally:
        machine.end(name)
    return next(line.partition("ERROR ")[2] for line in said.splitlines() if words[0] in line)


@proof
def pins_that_another_holds(stage):
    return refusal(stage, "other", "box1.toml", "taken by", "gpiochip0")


@proof
def no_permission(stage):
    return refusal(stage, "lab", "box1.toml", "may not open", "/dev/gpiochip0", user="lab")


@proof
def not_a_pi(stage):
    return refusal(stage, "no_pi", "no_pi.toml", "Raspberry Pi")


@proof
def chip_that_vanishes(stage):
    lab, machine = stage
    second = "/sys/kernel/config/gpio-sim/second"
    machine.end("box3")
    machine.run(
        f"mkdir -p {second}/bank0; echo 8 >{second}/bank0/num_lines; "
        f"echo second >{second}/bank0/label; echo 1 >{second}/live"
    )
    start_pilot(lab, machine, "box3", "box3.toml")
    lab.wait_for_pilot("box3")
    lab.begin("M005", "box3", TASKS / "sugar_pellet.star")
    machine.run(f"echo 0 >{second}/live")
    session = lab.ended("M005", 30)
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    assert machine.alive("box3"), "the pilot died of it"
    return session.why


@proof
def emulated_pi(stage):
    build_kit()
    # Gently, since the session of sugar_pellet may run beside it.
    built = subprocess.run(["nice", SCRIPTS / "package", "--debug"], capture_output=True, text=True)
    if built.returncode == 2:
        raise Skipped(built.stderr.strip().splitlines()[-1])
    assert built.returncode == 0, f"scripts/package failed: {built.stderr}"
    archive = built.stdout.strip().splitlines()[-1]
    subprocess.run(["tar", "-xzf", archive, "-C", stage.folder, "--strip-components=1"], check=True)
    said = subprocess.run(
        [SCRIPTS / "hil", "pi", "--timeout", "180", "--file", stage.folder / "bin/bramble-pilot",
         "--file", HERE / "pi/pi.toml", HERE / "pi/by_hand"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    seen = {}
    for line in said.stdout.splitlines():
        if found := re.match(r"(\w+):((?: 0x[0-9A-F]+)+), (\d+)$", line.strip()):
            levels = [int(level, 16) for level in found[2].split()]
            seen[found[1]] = [{line for line in PI_LINES if level >> line & 1} for level in levels], int(found[3])
    for command, expected in PI_EXPECTED.items():
        assert command in seen, f"`{command}` did nothing: {said.stdout}"
        levels, status = seen[command]
        assert status == 0, f"`{command}` ended with {status}: {said.stdout}"
        assert all(level in levels for level in expected), f"`{command}`: the lines were {levels}, and not {expected}"
        assert levels[-1] <= {5}, f"`{command}` left {levels[-1]} on"
    return f"{', '.join(PI_EXPECTED)}: the lines went as asked, and were safe at the end"


# The lines of scripts/hardware/pi/pi.toml; 5 is on when it is low. What was high,
# for each command, one after another.
PI_LINES = (5, 17, 22, 27)
PI_EXPECTED = {
    "set": [{17, 27}, {5}],
    "pulse": [{5, 22}, {5}],
    "train": [{5, 17}, {5, 27}, {5}],
    "check": [{5, 17}, {5, 27}, {5, 22}],
    "killed": [{5, 22}, {5}],
}


@proof
def lines_of_a_child(stage):
    lab, machine = stage
    start_pilot(lab, machine, "box4", "box4.toml")
    machine.start("hands", "bramble-child --config /app/hands.toml")
    lab.wait_for_pilot("box4")
    machine.until("cat /tmp/box4.log", "the child hands is there")
    lab.begin("M006", "box4", HERE / "long_drop.star")
    machine.run("animal poke 12 0.05")
    machine.until("cat /sim/sim_gpio24/value", "1", 5)
    machine.until("cat /sim/sim_gpio24/value", "0", 5)
    lab.tell("stop", "M006")
    # On its way to the child it is passed on by six threads, on one emulated processor.
    found = agrees(lab.ended("M006"), machine, {"poke.left": 12}, {"valve.left": 24}, slack=0.5)
    lab.begin("M006", "box4", HERE / "long_drop.star")
    machine.run("animal poke 12 0.05")
    machine.until("cat /sim/sim_gpio24/value", "1", 5)
    machine.run("animal mark child; kill -9 $(cat /tmp/hands.pid)")
    session = lab.ended("M006", 30)
    lines = Lines(machine)
    low = lines.low_after(24, lines.mark("child"))
    assert low is not None and low < 0.05 + SLACK, f"the valve was low after {low} s"
    assert session.ending == "error" and "hands" in session.why, f"it ended as {session.ending}: {session.why}"
    return f"{found}; its valve was low {milliseconds(low)} after SIGKILL: {session.why}"


@proof
def sugar_pellet(stage):
    lab, machine = stage
    # Usually it ran beside the others.
    if "M002" not in lab.begun:
        begin_sugar_pellet(lab, machine)
    try:
        session = lab.ended("M002")
    finally:
        del lab.begun["M002"]
    assert session.ending == "done", f"it ended as {session.ending}: {session.why}"
    return agrees(session, machine, {"beam": 9}, {"motor": 25})


@proof
def loop_over_the_least_loop(stage):
    build_kit()
    said = subprocess.run([SCRIPTS / "bench", "rig", "--vm", "--json", "--quick"], capture_output=True, text=True)
    assert said.returncode == 0, f"scripts/bench failed: {said.stderr}"
    rows = {row["name"]: row["value"] for row in json.loads(said.stdout.splitlines()[-1])["rows"]}
    for when in ("", " after a rest"):
        for whose in ("gpio-sim, bare loop", "gpio-sim, session's loop", "session's loop over bare loop"):
            name = f"{whose}{when}, p50"
            assert rows.get(name, 0) > 0, f"scripts/bench has no row `{name}`: {rows}"
    built = " (built without optimisation)" if os.environ.get("BRAMBLE_PROFILE") == "dev" else ""
    return ", ".join(f"{name} {value:.1f}" for name, value in rows.items() if "p50" in name) + built
