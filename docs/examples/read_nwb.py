"""Reads an NWB file of a session: its trials, what a column is, and how long states last."""

import sys

from pynwb import NWBHDF5IO

with NWBHDF5IO(sys.argv[1], "r") as io:
    session = io.read()
    trials = session.trials.to_dataframe()
    print(f"{session.subject.subject_id}, {session.subject.species}, {session.subject.sex}: {len(trials)} trials")
    print(f"latency: {session.trials['latency'].description}")
    print(trials.groupby("target").latency.count())
    states = session.intervals["states"].to_dataframe()
    print(sorted(states["state"].unique()))
    print(session.acquisition["task_files"].to_dataframe()["path"].to_list())
