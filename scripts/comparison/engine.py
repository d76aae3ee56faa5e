"""The engines that are compared: this program, and others in a process of `peers.py`."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from .process import Failure, Shell, last_line

PEERS = Path(__file__).resolve().parent.parent / "peers.py"

# The network and the size of pictures of every section that names no others.
ARCH, SIZE = "densenet121", 224
FOLDER_BATCH = 16

# What the others are compared with.
BASE = "densenet, f32"


@dataclass
class Ours:
    """This program."""

    shell: Shell
    binary: Path
    device: list[str]
    folder: Path
    size: int  # of pictures, where nothing else is said

    @property
    def model(self):
        """The checkpoint."""
        return self.folder / "network.safetensors"

    def bench(self, batch=1, size=None, runs=None, precision="f32"):
        """Return what `densenet bench` says, in its own words."""
        size = size or self.size
        command = [
            self.binary,
            "bench",
            "--model",
            self.model,
            "--batch",
            batch,
            "--size",
            f"{size}x{size}",
        ]
        command += ["--precision", precision, "--format", "json", *self.device]
        if runs:
            command += ["--runs", runs]
        return json.loads(last_line(self.shell.run(command)))

    def seconds(self, **options):
        """Return a warm run's."""
        return self.bench(**options)["latency_ms"]["p50"] / 1e3

    def start(self, environment):
        """Return the seconds of a process that reads one input and writes its logits."""
        return self.shell.seconds(self.infer(), environment)

    def infer(self):
        """Return the command that writes the input's logits."""
        model = ["--model", self.model, "--output", self.folder / "ours.npy"]
        return [self.binary, "infer", self.folder / "input.npy", *model, *self.device]

    def classify(self, pictures, model):
        """Return the seconds of a process that labels a folder."""
        options = [
            "--model",
            model,
            "--preprocess",
            "torchvision",
            "--batch",
            FOLDER_BATCH,
            "--format",
            "json",
        ]
        return self.shell.seconds([self.binary, "classify", pictures, *options, *self.device])

    def planned_mib(self, batch):
        """Return what `densenet plan` says that it takes."""
        text = self.shell.run([self.binary, "plan", "--model", self.model, "--batch", batch])
        return float(re.search(r"all buffers ([\d.]+) MiB", text)[1])


@dataclass
class Peer:
    """Another engine, in a process of `peers.py`."""

    shell: Shell
    name: str
    engine: str
    python: str
    folder: Path
    arch: str
    lacks: Failure | None = None  # why there is no network for it
    about: dict = field(default_factory=dict)

    def run(self, batch=1, runs=None, environment=None):
        """Return what `peers.py run` says."""
        if self.lacks:
            raise self.lacks
        command = [self.python, PEERS, "run", self.engine, self.folder]
        command += ["--arch", self.arch, "--batch", batch]
        if runs is not None:
            command += ["--runs", runs]
        self.about = json.loads(last_line(self.shell.run(command, environment)))
        return self.about

    def seconds(self, **options):
        """Return a warm run's."""
        return self.run(**options)["median"]

    def start(self, environment):
        """Return the seconds to the first logits, without Python's own."""
        return self.run(runs=0, environment=environment)["first"]
