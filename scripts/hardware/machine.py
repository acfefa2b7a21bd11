"""The machine whose lines the kernel simulates, and a shell in it."""

import socket
import subprocess
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent


class Skipped(Exception):
    """Something can't be tried on this computer, and why."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def build_kit():
    """Makes the kit of `scripts/hil` where it isn't made yet."""
    built = subprocess.run([SCRIPTS / "hil", "build"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode == 2:
        raise Skipped(f"the machines can't be made: {built.stdout.strip().splitlines()[-1]}")
    assert built.returncode == 0, f"scripts/hil build failed:\n{built.stdout}"


class Machine:
    """A running machine `vm`, with some files and those of `box` in /app.

    A pilot in it finds the terminal, which listens on this computer, at the port
    5600 of its own loopback.
    """

    def __init__(self, files, terminal_port, log, timeout=900):
        self.port = free_port()
        command = [SCRIPTS / "hil", "vm", "--timeout", str(timeout), "--forward", f"{self.port}:7000"]
        serve = HERE / "box/serve"
        for file in [*files, *sorted(set(serve.parent.iterdir()) - {serve})]:
            command += ["--file", file]
        command += [serve, str(terminal_port)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.until("echo here", "here", 90)
        except BaseException:
            self.stop()
            raise

    def run(self, commands, timeout=60):
        """What the machine's shell prints of the commands."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(commands.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def until(self, commands, says, timeout=20):
        """Runs the commands again and again, until what they print has the text."""
        end = time.monotonic() + timeout
        said = ""
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError("the machine has stopped; see its log")
            try:
                said = self.run(commands, 20)
            except OSError:
                pass  # a connection is taken before the machine is up
            if says in said:
                return said
            time.sleep(0.1)
        raise AssertionError(f"`{commands}` never said `{says}` but: {said.strip()}")

    def start(self, name, command):
        """Starts a program; what it says goes to /tmp/NAME.log, its id to /tmp/NAME.pid.

        One of that name that runs is ended before.
        """
        self.end(name)
        self.run(f"{command} </dev/null >/tmp/{name}.log 2>&1 &\necho $! >/tmp/{name}.pid")

    def end(self, name):
        """Ends a program that was started, if it runs, and waits until it has ended."""
        self.run(f"kill $(cat /tmp/{name}.pid) 2>/dev/null")
        self.until(f"kill -0 $(cat /tmp/{name}.pid) 2>/dev/null || echo ended", "ended")

    def alive(self, name):
        return "yes" in self.run(f"kill -0 $(cat /tmp/{name}.pid) 2>/dev/null && echo yes")

    def log(self, name):
        return self.run(f"cat /tmp/{name}.log 2>&1")

    def stop(self):
        if self.process.poll() is None:
            try:
                self.run("poweroff -f", 5)
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.terminate()
                self.process.wait(10)
