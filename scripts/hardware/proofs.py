"""What is proved, in order. Each proof returns what it found, or says what is wrong."""

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

PROOFS = {}


def proof(function):
    PROOFS[function.__name__] = function
    return function


class Stage:
    """The machine with two boxes in it, and the lab; made when they are first asked for."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.made, self.log = None, open(folder / "machine.log", "wb")

    def __iter__(self):
        """The lab and the machine."""
        if self.made is None:
            build_kit()
            port = free_port()
            pilot = self.folder / "bramble-pilot"
            subprocess.run(["strip", "-o", pilot, self.programs / "bramble-pilot"], check=True)
            lab = Lab(self.programs, self.folder, port)
            self.made = (lab, None)
            machine = Machine([pilot], port, self.log)
            self.made = (lab, machine)
            self.furnish(lab, machine)
        if self.made[1] is None:
            raise Skipped("there is no machine")
        return iter(self.made)

    def furnish(self, lab, machine):
        """Calibrates the valves, as 40 uL/s, and starts two pilots."""
        for port in ("left", "center", "right"):
            said = machine.run(
                f"bramble-pilot --config /app/box1.toml calibrate valve.{port} --pulses 2 "
                f"--durations 20ms,200ms --weights 0.0016,0.016 --yes 2>&1; echo status $?"
            )
            assert "status 0" in said, f"the valve can't be calibrated: {said}"
        for box in ("box1", "box2"):
            machine.start(box, f"bramble-pilot --config /app/{box}.toml")
            lab.wait_for_pilot(box)
        for subject in ("M001", "M002", "M003", "M004", "M005"):
            lab.tell("subject", "add", subject)

    def close(self):
        lab, machine = self.made or (None, None)
        if machine:
            for box in ("box1", "box2", "box3"):
                self.log.write(f"\n== {box}\n{machine.log(box)}".encode())
            machine.stop()
        if lab:
            lab.kill()
        self.log.close()

    def show_logs(self):
        for name in ("terminal.log", "machine.log"):
            if (self.folder / name).exists():
                print(f"== {name}\n{(self.folder / name).read_text(errors='replace')[-8000:]}", file=sys.stderr)


def milliseconds(seconds):
    return f"{seconds * 1e3:.1f} ms"


def agrees(session, machine, inputs, outputs):
    """Holds a session against the lines, edge by edge."""
    found = Comparison(session, Lines(machine), inputs, outputs)
    assert not found.differences, "; ".join(found.differences)
    assert found.delays and found.input_errors, "nothing happened that could be compared"
    assert max(map(abs, found.delays)) < SLACK, f"a line changed {milliseconds(max(found.delays, key=abs))} late"
    assert max(found.input_errors) < SLACK, f"an input's time is {milliseconds(max(found.input_errors))} off"
    middle = sorted(found.delays)[len(found.delays) // 2]
    return (
        f"{found.edges} edges in the file are those of the lines; outputs {milliseconds(middle)} after their event, "
        f"at worst {milliseconds(max(found.delays))}; inputs' times at most {milliseconds(max(found.input_errors))} off"
    )


def valve_opens(machine):
    """Pokes, and waits until the left valve is open."""
    machine.run("animal poke 17 0.02")
    machine.until("cat /sim/sim_gpio16/value", "1", 5)


@proof
def sugar_pellet_starts(stage):
    lab, machine = stage
    lab.begin("M002", "box2", TASKS / "sugar_pellet.star")
    machine.start("nibbler", "animal nibbler")
    return "it runs beside all that follows"


@proof
def free_water(stage):
    lab, machine = stage
    machine.start("poker", "animal poker")
    lab.begin("M001", "box1", TASKS / "free_water.star", "--trials", "6", "--param", "pause=300 ms")
    session = lab.ended("M001")
    machine.run("kill $(cat /tmp/poker.pid)")
    assert session.trials == 6, f"{session.trials} trials, {session.ending}: {session.why}"
    return f"{session.trials} trials; " + agrees(session, machine, POKES, LIGHTS | VALVES)


@proof
def pulse_ends_without_a_terminal(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    valve_opens(machine)
    lab.kill()
    time.sleep(2)
    lab.serve()
    lab.wait_for_pilot("box1")
    lab.wait_for_pilot("box2")
    opened, closed = [at for at, _ in Lines(machine).outputs(16, 0, 1e9)[-2:]]
    error = closed - opened - 1.5
    assert abs(error) < SLACK, f"the valve was open for {closed - opened:.3f} s"
    return f"a valve to be open for 1.5 s was {milliseconds(error)} longer when the terminal was killed"


@proof
def edge_storm(stage):
    lab, machine = stage
    said = machine.run("animal storm 22 100000 & sleep 0.5; animal poke 17 0.02; sleep 2; wait")
    lines = Lines(machine)
    poked, opened = lines.mark("moves 17 up"), [at for at, level in lines.outputs(16, 0, 1e9) if level][-1]
    assert 0 < opened - poked < SLACK, f"the valve opened {milliseconds(opened - poked)} after the poke"
    lab.tell("stop", "M003")
    session = lab.ended("M003")
    told = [note for note in session.notes if "poke.right" in note]
    lost = sum(value for _, kind, port, value in session.events if (kind, port) == ("lost", "poke.right"))
    assert told or lost, f"nothing is said of the storm: {session.notes}"
    return (
        f"{said.strip()}; the other port answered after {milliseconds(opened - poked)}; "
        f"{lost:.0f} edges recorded as lost; {'; '.join(told)}"
    )


@proof
def watchdog(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    valve_opens(machine)
    machine.run("animal mark stopped; kill -STOP $(cat /tmp/box1.pid); sleep 1; kill -CONT $(cat /tmp/box1.pid)")
    lines = Lines(machine)
    low = lines.low_after(16, lines.mark("stopped"))
    assert low is not None and low < 0.25 + SLACK, f"the valve was low after {low} s"
    session = lab.ended("M003", 30)
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    return f"the valve was low {milliseconds(low)} after the pilot hung (watchdog 250 ms): {session.why}"


@proof
def killed_pilot(stage):
    lab, machine = stage
    lab.begin("M003", "box1", HERE / "long_drop.star")
    # So that the line goes up again if anybody lets go of it.
    machine.run("echo pull-up >/sim/sim_gpio16/pull")
    valve_opens(machine)
    machine.run("animal mark killed; kill -9 $(cat /tmp/box1.pid)")
    time.sleep(1)
    lines = Lines(machine)
    low = lines.low_after(16, lines.mark("killed"))
    assert low is not None and low < 0.05 + SLACK, f"the valve was low after {low} s"
    assert machine.run("cat /sim/sim_gpio16/value").strip() == "0", "the line went up again"
    machine.start("box1", "bramble-pilot --config /app/box1.toml")
    lab.wait_for_pilot("box1")
    session = lab.ended("M003", 30)
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    return f"the valve was low {milliseconds(low)} after SIGKILL (50 ms on a board) and stayed so; {session.why}"


def refusal(machine, command):
    """What a pilot says that refuses to start."""
    said = machine.run(f"timeout 10 {command} 2>&1 </dev/null; echo status $?", 30)
    words = " ".join(said.replace("│", " ").split())
    assert "status 1" in said, f"it should have been refused: {words}"
    return words.removesuffix("status 1").strip()


def tells(said, *words):
    for word in words:
        assert word in said, f"`{word}` is not in: {said}"
    return said


@proof
def pins_that_another_holds(stage):
    _, machine = stage
    said = refusal(machine, "bramble-pilot --config /app/box1.toml --name other --data /tmp/other")
    return tells(said, "17", "bramble")


@proof
def no_permission(stage):
    _, machine = stage
    said = refusal(machine, "su -s /bin/sh lab -c '/app/bramble-pilot --config /app/box2.toml --data /tmp/lab'")
    return tells(said, "/dev/gpiochip0", "group")


@proof
def not_a_pi(stage):
    _, machine = stage
    return tells(refusal(machine, "bramble-pilot --config /app/no_pi.toml"), "Raspberry Pi")


@proof
def chip_that_vanishes(stage):
    lab, machine = stage
    second = "/sys/kernel/config/gpio-sim/second"
    machine.run(
        f"mkdir -p {second}/bank0; echo 8 >{second}/bank0/num_lines; "
        f"echo second >{second}/bank0/label; echo 1 >{second}/live"
    )
    machine.start("box3", "bramble-pilot --config /app/box3.toml")
    lab.wait_for_pilot("box3")
    lab.begin("M005", "box3", TASKS / "sugar_pellet.star")
    machine.run(f"echo 0 >{second}/live")
    session = lab.ended("M005", 30)
    assert session.ending == "error", f"the session ended as {session.ending}: {session.why}"
    assert machine.alive("box3"), "the pilot died of it"
    return session.why


@proof
def sugar_pellet(stage):
    lab, machine = stage
    session = lab.ended("M002")
    assert session.ending == "done", f"it ended as {session.ending}: {session.why}"
    return agrees(session, machine, {"beam": 9}, {"motor": 25})


@proof
def emulated_pi(stage):
    build_kit()
    built = subprocess.run([SCRIPTS / "package", "--debug"], capture_output=True, text=True)
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
