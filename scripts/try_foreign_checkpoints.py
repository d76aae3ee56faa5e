"""Write checkpoints as people save them, have `densenet` read them, and compare logits with those of the framework itself.

    pip install -r scripts/requirements-foreign.txt
    python scripts/try_foreign_checkpoints.py [--densenet target/debug/densenet] [--keep FOLDER] [WORD...]

Prints a row for each layout of scripts/foreign/ (of those whose name has one of the words): *right*; *refused*, and right by
what the message says; *refused*, as the network is no DenseNet that is run; or *wrong*. Exit status 1: a layout is wrong in
silence, or was refused without a way that works.
"""

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
warnings.filterwarnings("ignore")

import numpy as np
import torch
from torch import nn

from foreign import keras, networks, repositories, trainers  # noqa: F401: each adds to the table
from foreign.layout import LAYOUTS

TOLERANCE = 2e-5  # of the largest logit


def densenet(program, *arguments):
    """Run the program: whether it did what it was asked, what it printed, and what it said, without the names of files."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    said = " ".join(done.stderr.split())
    for argument in arguments:
        said = said.replace(str(argument), argument.name) if isinstance(argument, Path) else said
    said = re.sub("warning: no GPU in use: .*? slower than a GPU", "", said)
    return done.returncode == 0, done.stdout, said


def expected_of(network, inputs):
    """Return what the framework computes, in 64 bits where it can."""
    if isinstance(network, nn.Module):
        network = copy.deepcopy(network).double().eval()
    return np.asarray(network(inputs.double()), dtype="float64").reshape(len(inputs), -1)


def error_of(found, expected, is_shifted):
    """Return the largest difference as a share of the largest logit; of what a softmax is known of, without the logits' mean."""
    if found.shape != expected.shape:
        return float("inf")
    if is_shifted:
        found, expected = (logits - logits.mean(1, keepdims=True) for logits in (found, expected))
    return np.abs(found - expected).max() / np.abs(expected).max()


def infer(program, file, folder, expected, layout, flags=()):
    """Return the error of the logits, or None where there are none, and what was said."""
    output = folder / "logits.npy"
    output.unlink(missing_ok=True)
    well, _, said = densenet(program, "infer", folder / "input.npy", "--model", file, "--output", output, *flags)
    return (error_of(np.load(output).reshape(len(expected), -1), expected, layout.is_shifted) if well else None), said


def judge(program, layout, folder):
    """Write one layout and return whether it passes, a verdict, the error, and what was said."""
    file = folder / "model.pth"
    written = layout.write(file)
    network, file = (written[0], written[1] or file) if isinstance(written, tuple) else (written, file)
    generator = torch.Generator().manual_seed(len(layout.name))
    inputs = torch.randn(2, layout.channels, *layout.size, generator=generator)
    np.save(folder / "input.npy", inputs.numpy())
    expected = expected_of(network, inputs)

    error, said = infer(program, file, folder, expected, layout)
    told = f"right with {' '.join(layout.flags)}" if layout.flags else "right by the message's Python"
    if error is not None and error <= TOLERANCE:
        _, text, _ = densenet(program, "inspect", file, "--format", "json")
        facts = json.loads(text)
        facts |= {"activation": facts["preprocessing"]["activation"]} if facts.get("preprocessing") else {}
        wrong = {key: facts.get(key) for key, value in layout.says.items() if facts.get(key) != value}
        return not wrong, f"right, but {wrong}" if wrong else "right", error, said
    is_why = layout.refused and error is None and layout.refused.lower() in said.lower()
    if is_why and layout.mend is None:
        return True, "refused, with why", None, said
    way = "refused" if error is None else "assumed, and said"
    if is_why or layout.flags and layout.flags[0] in said.split():
        error, other = infer(program, layout.mend(file) if layout.mend else file, folder, expected, layout, layout.flags)
        if error is not None and error <= TOLERANCE:
            return True, f"{way}; {told}", error, said
        said += f" ⇒ {other}"
    if error is not None:
        return False, "WRONG IN SILENCE", error, said
    return False, "REFUSED without a way that works", error, said


def main():
    """Try all of them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--densenet", default="target/debug/densenet")
    arguments.add_argument("--keep", type=Path, help="a folder in which files stay")
    arguments.add_argument("--verbose", action="store_true", help="print what was said of each, too")
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    chosen = [layout for layout in LAYOUTS if not options.words or any(word in layout.name for word in options.words)]
    failed, kept = 0, options.keep or Path(tempfile.mkdtemp())
    for layout in chosen:
        folder = kept / "".join(c if c.isalnum() else "-" for c in layout.name)[:60]
        folder.mkdir(parents=True)
        try:
            passes, verdict, error, said = judge(options.densenet, layout, folder)
        except Exception:  # noqa: BLE001: one layout costs its own row
            passes, verdict, error, said = False, "NOT WRITTEN", None, traceback.format_exc()
        failed += not passes
        print(f"| {layout.name} | {verdict} | {'' if error is None else f'{error:.0e}'} |", flush=True)
        if not passes or options.verbose:
            print(f"    {said}", flush=True)
    print(f"{len(chosen)} layouts, {failed} failed", flush=True)
    sys.exit(failed > 0 or not chosen)


if __name__ == "__main__":
    main()
