"""Brings a session onto a recording's clock, by the sync line that both of them saw.

Usage: align_sync.py SUBJECT.h5 SESSION EDGES.csv

EDGES.csv has the edges that the recording saw on its sync input, one a line:
seconds on its own clock, and 1 or 0 for the new level.
"""

import sys

import numpy as np
import pandas as pd

FEWEST = 10  # pulses in common
WORST = 0.005  # seconds, between two intervals that are the same


def session_edges(path, number):
    """What the session wrote to its sync line: seconds on the pilot's clock, levels."""
    group = f"sessions/{number}/names"
    sources, kinds = (pd.read_hdf(path, f"{group}/{table}/table") for table in ("sources", "kinds"))
    events = pd.read_hdf(path, f"sessions/{number}/events/table")
    source = sources.source[sources["name"] == "sync"].iloc[0]
    kind = kinds.kind[kinds["name"] == "output"].iloc[0]
    edges = events[(events.source == source) & (events.kind == kind)]
    return edges.time_ns.to_numpy() / 1e9, edges.value.to_numpy()


def aligned(session, recording):
    """The pulses that both saw, where the intervals between them are the same."""
    best = (np.inf, None)
    for shift in range(FEWEST - len(session), len(recording) - FEWEST + 1):
        ours = session[max(0, -shift):][: len(recording) - max(0, shift)]
        theirs = recording[max(0, shift):][: len(ours)]
        best = min(best, (np.abs(np.diff(ours) - np.diff(theirs)).max(), shift), key=lambda one: one[0])
    worst, shift = best
    if worst > WORST:
        sys.exit("the recording has not seen this session's sync line")
    ours = session[max(0, -shift):][: len(recording) - max(0, shift)]
    return ours, recording[max(0, shift):][: len(ours)]


def main(path, number, edges):
    times, levels = session_edges(path, number)
    seen = np.loadtxt(edges, delimiter=",", ndmin=2)
    ours, theirs = aligned(times[levels == 1], seen[seen[:, 1] == 1, 0])
    slope, start = np.polyfit(ours - ours[0], theirs, 1)

    def on_recording(seconds):
        return start + slope * (seconds - ours[0])

    left = np.abs(on_recording(ours) - theirs).max()
    print(f"{len(ours)} pulses in common, from {theirs[0]:.4f} s on the recording's clock")
    print(f"its clock is {(slope - 1) * 1e6:.1f} ppm fast; no pulse is off by more than {left * 1e3:.3f} ms")
    trials = pd.read_hdf(path, f"sessions/{number}/trials/table")
    trials["start"] = on_recording(trials.start_ns / 1e9).round(4)
    print(trials[["trial", "start"]].head(3).to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
