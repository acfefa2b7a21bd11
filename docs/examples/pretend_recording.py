"""Pretends to have recorded a session's sync line: at 30,000 samples a second, from
12.5 s before its first pulse on, by a clock that is 30 ppm fast.

Usage: pretend_recording.py SUBJECT.h5 SESSION >EDGES.csv
"""

import sys

from align_sync import session_edges

times, levels = session_edges(*sys.argv[1:])
for time, level in zip(times, levels):
    seconds = 12.5 + (time - times[0]) * (1 + 30e-6)
    print(f"{round(seconds * 30_000) / 30_000:.7f},{level:.0f}")
