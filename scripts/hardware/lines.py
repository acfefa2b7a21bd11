"""What the machine's lines did, by the kernel's own trace of them.

The kernel notes each level that is set, with the time on the clock that the pilot
uses. The animal puts a mark into the trace before and after it moves an input.
"""

import re

from .lab import transitions

SET = re.compile(r"\s(\d+\.\d+): gpio_value: (\d+) set ([01])")
MARK = re.compile(r"\s(\d+\.\d+): tracing_mark_write: (.*)")


class Lines:
    def __init__(self, machine):
        base = int(re.search(r"GPIOs (\d+)-", machine.run("cat /sys/kernel/debug/gpio")).group(1))
        self.sets, self.marks = [], []
        for line in machine.run("cat /sys/kernel/tracing/trace").splitlines():
            if found := SET.search(line):
                self.sets.append((float(found[1]), int(found[2]) - base, found[3] == "1"))
            elif found := MARK.search(line):
                self.marks.append((float(found[1]), found[2].strip()))

    def outputs(self, pin, start, end):
        """When the line of an output changed, within a time."""
        return transitions((time, level) for time, line, level in self.sets if line == pin and start <= time <= end)

    def pulls(self, pin, start, end):
        """Within which times an input was moved: (after, before, level)."""
        moves, begun = [], None
        for time, text in self.marks:
            if text.startswith(f"moves {pin} "):
                begun = time
            elif text.startswith(f"moved {pin} ") and begun is not None and start <= begun <= end:
                moves.append((begun, time, text.endswith("up")))
        return moves

    def mark(self, text):
        """When the newest mark of this text was made."""
        return max(time for time, said in self.marks if said == text)

    def low_after(self, pin, time):
        """How many seconds after a time an output was set low, or nothing."""
        return next((at - time for at, line, level in self.sets if line == pin and at >= time and not level), None)


class Comparison:
    """A session in a subject file against the lines. Differences are in seconds."""

    def __init__(self, session, lines, inputs, outputs):
        self.differences, self.delays, self.input_errors, self.edges = [], [], [], 0
        start, end = session.start, max(time for time, *_ in session.events) + 1
        for port, pin in outputs.items():
            self.match_output(port, session.changes("output", port), lines.outputs(pin, start, end))
        for port, pin in inputs.items():
            self.match_input(port, session.changes("input", port), lines.pulls(pin, start, end - 1))

    def match_output(self, port, written, line):
        if [level for _, level in written] != [level for _, level in line]:
            self.differences.append(f"{port}: {len(written)} changes in the file, {len(line)} of the line")
            return
        self.edges += len(line)
        self.delays += [there - here for (here, _), (there, _) in zip(written, line)]

    def match_input(self, port, recorded, pulls):
        if [level for _, level in recorded] != [level for *_, level in pulls]:
            self.differences.append(f"{port}: {len(recorded)} edges in the file, {len(pulls)} of the line")
            return
        self.edges += len(pulls)
        for (time, _), (after, before, _) in zip(recorded, pulls):
            self.input_errors.append(max(after - time, time - before, 0.0))
