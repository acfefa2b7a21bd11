"""Reads the barcodes of a sync line: each is the time at which it starts.

Usage: read_barcodes.py EDGES.csv

EDGES.csv as for align_sync.py: seconds on the recording's clock, and 1 or 0.
"""

import datetime
import sys

import numpy as np

BIT, BITS = 0.030, 32
WRAPPER = BIT / 3


def barcodes(times, levels):
    """The seconds at which each barcode starts, and its number."""
    rises, falls = times[levels == 1], times[levels == 0]
    free = -np.inf
    for rise in rises:
        width = falls[falls > rise].min(initial=np.inf) - rise
        last = rise + 2 * WRAPPER + BITS * BIT
        if rise < free or abs(width - WRAPPER) > WRAPPER / 2 or last > times[-1]:
            continue
        # Each bit is as the line is in the middle of it.
        middles = rise + 2 * WRAPPER + BIT * (np.arange(BITS) + 0.5)
        bits = levels[np.searchsorted(times, middles) - 1]
        yield rise, sum(int(bit) << place for place, bit in enumerate(bits))
        free = last + 3 * WRAPPER


if __name__ == "__main__":
    edges = np.loadtxt(sys.argv[1], delimiter=",", ndmin=2)
    for rise, number in barcodes(edges[:, 0], edges[:, 1]):
        print(f"{rise:9.4f} s  {datetime.datetime.fromtimestamp(number, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC")
