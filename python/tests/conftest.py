"""What the tests share: the repository, its program, and the digits that the bundled model was not trained on."""

import os
import subprocess
import sys
from pathlib import Path

import densenet_wgpu as dn
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 120


@pytest.fixture(scope="session")
def net():
    """A classifier that all tests share and none closes."""
    return dn.Classifier("digits")


@pytest.fixture(scope="session")
def paths():
    """Pictures whose names begin with the digit they show."""
    return sorted(str(path) for path in (ROOT / "examples/digits").glob("*.png"))


@pytest.fixture(scope="session")
def path(paths):
    """A picture of a 7."""
    return str(ROOT / "examples/digits/7-1442-8.png")


@pytest.fixture(scope="session")
def tensors():
    """What the network reads, float32 [5, 3, 64, 64]."""
    return np.random.default_rng(1).uniform(-2, 2, (5, 3, 64, 64)).astype(np.float32)


@pytest.fixture(scope="session")
def densenet():
    """Runs the command line, and returns what it writes to standard output."""
    binary = os.environ.get("DENSENET_BINARY")
    assert binary, "DENSENET_BINARY names the program to compare with; scripts/python.sh sets it"

    def run(*arguments):
        finished = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS, cwd=ROOT)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


@pytest.fixture(scope="session")
def start():
    """Starts a program of tests/programs in a process of its own."""

    def start(name, *arguments):
        command = [sys.executable, str(PROGRAMS / name), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)

    return start


@pytest.fixture(scope="session")
def output(start):
    """Runs such a program to its end; returns what it wrote, and fails if it complained."""

    def output(name, *arguments):
        process = start(name, *arguments)
        try:
            written, complaints = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            written, complaints = process.communicate()
            pytest.fail(f"{name} {arguments} hangs: {written} {complaints}")
        assert process.returncode == 0 and complaints == "", f"{process.returncode}: {complaints}"
        return written

    return output
