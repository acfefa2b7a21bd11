"""Reads a subject file: its sessions, their trials, and how fast each side is answered."""

import sys

import h5py
import pandas as pd

path = sys.argv[1]
with h5py.File(path) as file:
    print(f"subject {file.attrs['subject']}, format {file.attrs['version'].item()}")
    tasks = {number: session.attrs["task"] for number, session in file["sessions"].items()}

for number, task in tasks.items():
    trials = pd.read_hdf(path, f"sessions/{number}/trials/table")
    end = pd.read_hdf(path, f"sessions/{number}/end/table")
    print(f"session {number}: {task}, {len(trials)} trials, {''.join(end.why) or 'running'}")
    if {"target", "latency"} <= set(trials):
        print(trials.groupby("target").latency.agg(["count", "median"]).round(2))
