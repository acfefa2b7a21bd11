"""Reads a subject file: its sessions, their trials, and the reaction to each cue."""

import sys

import h5py
import pandas as pd

path = sys.argv[1]
with h5py.File(path) as file:
    print(f"subject {file.attrs['subject']}, format {file.attrs['version']}")
    sessions = {number: dict(group.attrs) for number, group in file["sessions"].items()}

for number, about in sessions.items():
    trials = pd.read_hdf(path, f"sessions/{number}/trials/table")
    print(f"session {number}: {about['task']}, {len(trials)} trials, ended: {about['ending']}")
    if "outcome" in trials:
        answered = trials[trials.outcome.isin([b"correct", b"error", "correct", "error"])]
        print(answered.groupby("target").latency.agg(["count", "median"]).round(2))
