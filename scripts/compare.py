"""Measure `densenet` beside other engines on one machine; print what was measured as Markdown.

    python scripts/compare.py --binary DENSENET --python PYTHON --python-webgpu PYTHON [--quick]

`scripts/compare.sh` makes all of that and calls this file, which needs nothing but Python itself.
Whatever is compared takes turns, several rounds, and the best of each counts: a disturbance may
fall on any of them. Each measurement is a process of its own. An engine that is not there, or
fails, has its reason in its row.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from comparison.comparison import Comparison
from comparison.machine import ROOT
from comparison.memory import memory
from comparison.others import others
from comparison.pictures import pictures
from comparison.pixels import pixels
from comparison.process import Failure, say
from comparison.starts import starts
from comparison.throughput import throughput
from comparison.warm import warm

SECTIONS = [warm, starts, throughput, pixels, others, memory, pictures]


def measured(comparison):
    """Measure one section after the other; return each one's text as it is there."""
    for measure in SECTIONS:
        say(measure.__name__)
        yield measure(comparison)


def main():
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--binary", type=Path, default=ROOT / "target" / "release" / "densenet", help="our program"
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter that has the other engines"
    )
    parser.add_argument(
        "--python-webgpu", default=sys.executable, help="the one that has onnxruntime-webgpu"
    )
    parser.add_argument(
        "--before", type=Path, metavar="PATH", help="an older densenet, measured in the same turns"
    )
    parser.add_argument(
        "--device", help="a device of ours; default: the best (the others take their own best)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few runs, one round: to see that all works"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each comparison; default: 3")
    parser.add_argument(
        "--runs", type=int, metavar="N", help="warm runs in a process; default: what two seconds take"
    )
    parser.add_argument(
        "--batches",
        type=lambda text: tuple(int(batch) for batch in text.split(",")),
        metavar="N,N",
        help="batches of the throughput; default: 1,2,4,8,16,32",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=900,
        metavar="S",
        help="seconds for one process; default: 900",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the Markdown there too")
    options = parser.parse_args()
    for name, count in [("rounds", options.rounds), ("runs", options.runs)]:
        if count is not None and count < 1:
            parser.error(f"argument --{name}: expected a whole number from 1, found {count}")
    for name, program in [("binary", options.binary), ("before", options.before)]:
        if program and not program.is_file():
            parser.error(f"argument --{name}: expected a densenet, found no file {program}")

    own = ["--before", options.before.name] if options.before else []
    own += ["--quick"] * options.quick + (["--device", options.device] if options.device else [])
    own += ["--rounds", str(options.rounds)] if options.rounds else []
    own += ["--runs", str(options.runs)] if options.runs else []
    own += ["--batches", ",".join(map(str, options.batches))] if options.batches else []
    with tempfile.TemporaryDirectory(prefix="densenet-compare-") as folder:
        try:
            comparison = Comparison(options, Path(folder))
        except Failure as failure:
            raise SystemExit(f"compare: {failure}") from None
        sections = list(measured(comparison))
        text = "\n".join([comparison.heading(shlex.join(own)), *sections])
    print(text, end="")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)


if __name__ == "__main__":
    main()
