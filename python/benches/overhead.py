"""Measure what Python adds to the library: the same images on both, in turns, in one run.

    cargo build --release --package densenet-wgpu-python --example library
    python python/benches/overhead.py target/release/examples/library

The package is installed (`pip install ./python`, which optimises as the program does). The best of many turns counts: others on the machine
can only make one slower.
"""

import subprocess
import sys
import time
import warnings

import densenet_wgpu as dn
import numpy as np

BATCHES = {1: 1000, 64: 120}


class Library:
    """The library alone, in a process of its own."""

    def __init__(self, program):
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, batch):
        """Return the seconds of a run, and the first of its logits."""
        self._process.stdin.write(f"{batch}\n")
        self._process.stdin.flush()
        seconds, first = map(float, self._process.stdout.readline().split())
        return seconds, first


def run(net, values):
    """Return the seconds of a run from Python, and the first of its logits."""
    start = time.perf_counter()
    logits = net.logits(values)
    return time.perf_counter() - start, float(logits[0, 0])


def main(program):
    """Print a row for each batch size."""
    warnings.simplefilter("ignore", dn.DensenetWarning)
    net, library = dn.Classifier("digits", batch=64), Library(program)
    device = next(device for device in dn.devices() if device.name == net.devices[0])
    print(f"{device.name}, {device.driver}, {device.backend}; numpy {np.__version__}, Python {sys.version.split()[0]}")
    print("| batch | turns | library ms | Python ms | Python adds | medians |")
    print("|---|---|---|---|---|---|")
    for batch, turns in BATCHES.items():
        values = np.sin(np.arange(batch * 3 * 64 * 64, dtype=np.float32) * np.float32(0.37)).reshape(batch, 3, 64, 64)
        times = []
        for turn in range(turns + 3):
            sides = [lambda: library.run(batch), lambda: run(net, values)]
            order = (0, 1) if turn % 2 == 0 else (1, 0)
            found = dict(zip(order, [sides[side]() for side in order]))
            times.append((found[0][0], found[1][0]))
        ours, theirs = np.array(times[3:]).T[::-1] * 1e3
        added = [100 * (np.min(ours) / np.min(theirs) - 1), 100 * (np.median(ours) / np.median(theirs) - 1)]
        print(f"| {batch} | {turns} | {np.min(theirs):.3f} | {np.min(ours):.3f} | {added[0]:.1f} % | {added[1]:.1f} % |")


if __name__ == "__main__":
    main(*sys.argv[1:])
