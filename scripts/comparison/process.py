"""Processes that are measured, in turns."""

import math
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass


def say(text):
    """Print what is being done."""
    print(text, file=sys.stderr, flush=True)


class Failure(Exception):
    """A measurement that could not be made, and why."""


def last_line(text):
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def reason(said):
    """Return why a program failed, by the last error that it names, else what it said last."""
    named = re.findall(r"^(?:[\w.]*(?:Error|Exception)|error): (.+)$", said, re.MULTILINE)
    return named[-1].strip() if named else last_line(said)


@dataclass
class Shell:
    """Runs commands."""

    timeout: float

    def run(self, command, environment=None):
        """Return what the command printed. Fails with the last thing it said."""
        command = [str(word) for word in command]
        try:
            done = subprocess.run(
                command,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.timeout,
            )
        except subprocess.TimeoutExpired:
            raise Failure(f"took more than {self.timeout:.0f} s") from None
        except OSError as error:
            raise Failure(str(error)) from None
        if done.returncode < 0:
            raise Failure(f"ended by signal {-done.returncode}")
        if done.returncode != 0:
            raise Failure(reason(done.stderr) or f"exit status {done.returncode}")
        return done.stdout

    def seconds(self, command, environment=None):
        """Return how long the command takes, from start to exit."""
        start = time.perf_counter()
        self.run(command, environment)
        return time.perf_counter() - start


def take_turns(rounds, measurements):
    """Return the least number of each measurement, or its Failure, by name."""
    best = {}
    for _ in range(rounds):
        for name, measure in measurements.items():
            if isinstance(best.get(name), Failure):
                continue
            say(f"  {name}")
            try:
                best[name] = min(best.get(name, math.inf), measure())
            except Failure as failure:
                best[name] = failure
    return best
