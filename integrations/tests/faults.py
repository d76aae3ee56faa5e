"""Classifiers as a test's workers have them: every picture is counted, and what the test asks for happens to one worker, once.

FAULT is what happens at a worker's third call: `kill` (SIGKILL), `lose` (the device is lost), `slow` (every call takes longer).
FAULT_FOLDER has what happened: `computed`, a line with a process and its number of pictures for each call, and `happened`.
"""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import densenet_wgpu as dn

FAULT, FOLDER = os.environ.get("FAULT"), Path(os.environ["FAULT_FOLDER"])


def is_first():
    """Whether nothing has happened to another worker yet."""
    try:
        os.close(os.open(FOLDER / "happened", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Observed:
    """A classifier to which it happens."""

    def __init__(self, classifier):
        self.classifier, self.calls = classifier, 0

    def classify(self, pictures, **options):
        self.calls += 1
        if FAULT == "slow":
            time.sleep(0.5)
        if FAULT in ("kill", "lose") and self.calls == 3 and is_first():
            if FAULT == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            self.classifier._opened().lose_devices()
        answers = self.classifier.classify(pictures, **options)
        with open(FOLDER / "computed", "a") as file:
            file.write(f"{os.getpid()} {len(pictures)}\n")
        return answers


def package():
    """The package whose classifiers are observed."""
    observed = lambda *arguments, **options: Observed(dn.Classifier(*arguments, **options))
    return SimpleNamespace(Classifier=observed, Error=dn.Error, DeviceLostError=dn.DeviceLostError)
