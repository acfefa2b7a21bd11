"""Reads an NWB file of a session: its trials, what their columns are, and its states."""

import sys

from pynwb import NWBHDF5IO

with NWBHDF5IO(sys.argv[1], "r") as io:
    session = io.read()
    trials = session.trials  # None where the session had none.
    about = session.subject
    print(f"{about.subject_id}, {about.species}, {about.sex}: {len(trials or [])} trials")
    for column in trials.columns if trials else []:
        if column.name not in ("trial", "start_time", "stop_time"):
            print(f"{column.name}: {column.description}")
    if "states" in session.intervals:
        states = session.intervals["states"].to_dataframe()
        print(sorted(states["state"].unique()))
    print(session.acquisition["task_files"].to_dataframe()["path"].to_list())
