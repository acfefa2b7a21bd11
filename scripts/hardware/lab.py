"""A terminal on this computer, and what its subject files say."""

import json
import os
import subprocess
import time
from pathlib import Path

import h5py


class Lab:
    def __init__(self, programs, folder, port):
        self.program = Path(programs) / "bramble-terminal"
        self.folder = Path(folder)
        self.listen = f"tcp://127.0.0.1:{port}"
        # Proofs follow each other as fast as they can.
        confirm = "second-today,other-box"
        self.environment = {**os.environ, "BRAMBLE_DATA": str(self.folder), "BRAMBLE_CONFIRM": confirm}
        self.serving, self.begun = None, {}
        self.keep()

    def keep(self):
        """Starts the terminal where it doesn't run."""
        if self.serving and self.serving.poll() is None:
            return
        with open(self.folder / "terminal.log", "ab") as log:
            self.serving = subprocess.Popen(
                [self.program, "serve", "--listen", self.listen, "--seed", "7"],
                env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )
        try:
            self.until(lambda: self.tell("status", check=False).returncode == 0, "the terminal is there")
        except BaseException:
            self.kill()
            raise

    def kill(self):
        """As a power cut would."""
        self.serving.kill()
        self.serving.wait()

    def tell(self, *words, check=True):
        """Runs a command of the terminal."""
        said = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True)
        if check and said.returncode:
            raise AssertionError(f"`{' '.join(words)}` was refused: {said.stderr.strip()}")
        return said

    def invite(self, name):
        """A code with which a pilot of that name joins the swarm."""
        return json.loads(self.tell("invite", name, "--json").stdout)["code"]

    def until(self, what, says, timeout=30):
        end = time.monotonic() + timeout
        while not what():
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout} s: {says}")
            time.sleep(0.1)

    def pilot(self, name):
        """What is known of a pilot, or nothing."""
        status = json.loads(self.tell("status", "--json").stdout)
        return next((pilot for pilot in status["pilots"] if pilot["name"] == name), {})

    def wait_for_pilot(self, name, timeout=30):
        self.until(lambda: self.pilot(name).get("here"), f"{name} is here", timeout)

    def begin(self, subject, pilot, task, *more):
        """Starts a session, and waits until it runs; stops one that runs."""
        if self.pilot(pilot).get("session"):
            self.tell("stop", "--pilot", pilot)
            self.until(lambda: not self.pilot(pilot).get("session"), f"{pilot} is idle")
        self.begun[subject] = self.session(subject).number + 1
        self.tell("start", subject, "--pilot", pilot, "--task", str(task), *more)
        self.until(lambda: self.pilot(pilot).get("session"), f"{pilot} runs {task.name}")

    def ended(self, subject, timeout=150):
        """Waits until the session that was begun last has ended and is in the subject's file."""
        assert subject in self.begun, f"no session of {subject} was begun"
        over = lambda session: session.number >= self.begun[subject] and session.ending
        self.until(lambda: over(self.session(subject)), f"the session of {subject} has ended", timeout)
        return self.session(subject)

    def session(self, subject):
        """The subject's newest session, as its file has it."""
        path = self.folder / "subjects" / f"{subject}.h5"
        for _ in range(50):
            try:
                with h5py.File(path, "r", locking=False) as file:
                    numbers = sorted(file["sessions"])
                    return Session(len(numbers), file["sessions"][numbers[-1]] if numbers else None)
            except (OSError, KeyError):
                time.sleep(0.1)  # it is being written
        raise AssertionError(f"{path} can't be read")


class Session:
    """What a subject file says of a session. Times are in seconds."""

    def __init__(self, number, group):
        self.number = number
        self.ending, self.why, self.events, self.notes, self.trials = "", "", [], [], 0
        if group is None:
            return
        self.start = int(group.attrs["start_time_ns"][0]) / 1e9
        for row in group["end/table"][...]:
            self.ending, self.why = row["ending"].decode(), self.why + row["why"].decode()
        kinds = {row["kind"]: row["name"].decode() for row in group["names/kinds/table"][...]}
        names = {row["source"]: row["name"].decode() for row in group["names/sources/table"][...]}
        for row in group["events/table"][...]:
            self.events.append((row["time_ns"] / 1e9, kinds[row["kind"]], names[row["source"]], float(row["value"])))
        self.notes = [row["text"].decode() for row in group["notes/table"][...]]
        self.trials = len(group["trials/table"]) if "trials/table" in group else 0

    def changes(self, kind, port):
        """When a port's level became what, from low; `kind` is input or output."""
        return transitions((time, value != 0) for time, k, p, value in self.events if (k, p) == (kind, port))


def transitions(levels):
    """Only those levels that differ from the one before, from low."""
    changed, last = [], False
    for time_, level in levels:
        if level != last:
            changed.append((time_, level))
        last = level
    return changed
