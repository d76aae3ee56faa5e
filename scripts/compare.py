"""Measure `densenet` beside other engines on one machine; print what was measured as Markdown.

    python scripts/compare.py --binary DENSENET --python PYTHON --python-webgpu PYTHON [--quick]

`scripts/compare.sh` makes all of that and calls this file, which needs nothing but Python itself.
Whatever is compared takes turns, several rounds, and the best of each counts: a disturbance may
fall on any of them. Each measurement is a process of its own. An engine that is not there, or
fails, has its reason in its row.
"""

import argparse
import array
import json
import math
import os
import platform
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "scripts" / "peers.py"

ARCH = "densenet121"
SIZE = 224
SEED = 0
FOLDER_BATCH = 16
SLOW_SECONDS = 15  # a batch's

# What the others are compared with.
BASE = "densenet, f32"
BEFORE = "densenet before, f32"
MIB = 1 << 20


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    runs: int | None  # warm ones, at batch 1; None is the programs' own rule
    runs_of_batches: int
    batches: tuple[int, ...]
    sizes: tuple[int, ...]
    networks: tuple[tuple[str, int], ...]  # and the sizes of their pictures, beside the first
    pictures: int


NETWORKS = (("densenet201", 224), ("densenet161", 224), (ARCH, 448), (ARCH, 896))
FULL = Effort(3, None, 5, (1, 2, 4, 8, 16, 32), (224, 448, 896), NETWORKS, 13 * FOLDER_BATCH)
QUICK = Effort(1, 2, 2, (1, 4), (224, 448), NETWORKS[:1], 3 * FOLDER_BATCH)


def say(text):
    """Print what is being done."""
    print(text, file=sys.stderr, flush=True)


# Processes


class Failure(Exception):
    """A measurement that could not be made, and why."""


def last_line(text):
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def reason(said):
    """Return what a program that failed said last, without the word for an error."""
    return re.sub(r"^([\w.]*Error|error): ", "", last_line(said))


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


# What is compared


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


# Tables


def table(header, rows):
    """Return a Markdown table; columns with a name are numbers, but for the first."""
    lines = [header, ["---"] + ["---:" if name else "---" for name in header[1:]], *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def cell(value, form):
    """Return a number in that form, or why there is none."""
    if isinstance(value, Failure):
        return f"not measured: {value}"
    return "" if value is None else form.format(value)


def ratio(value, base):
    """Return how many times as long as the base; nothing where one of them is missing."""
    if any(number is None or isinstance(number, Failure) for number in [value, base]):
        return None
    return value / base


def environments(folder):
    """Return the environment of a start without caches, and of one that finds them filled."""
    filled = folder / "filled"
    cold = {
        "MESA_SHADER_CACHE_DISABLE": "true",
        "__GL_SHADER_DISK_CACHE": "0",
        "CUDA_CACHE_DISABLE": "1",
    }
    second = {
        "DENSENET_CACHE_DIR": str(filled / "densenet"),
        "MESA_SHADER_CACHE_DIR": str(filled / "mesa"),
        "__GL_SHADER_DISK_CACHE_PATH": str(filled / "nvidia"),
        "CUDA_CACHE_PATH": str(filled / "cuda"),
    }
    for path in second.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    return cold, second


@dataclass
class Contest:
    """One network for one size of pictures, and everyone who runs it."""

    ours: Ours
    before: Ours | None  # an older one
    peers: list[Peer]

    def engines(self):
        """Return them by name, ours first."""
        before = {BEFORE: self.before} if self.before else {}
        return {BASE: self.ours} | before | {peer.name: peer for peer in self.peers}


class Comparison:
    """Everything that is measured, a section each."""

    def __init__(self, options, folder):
        """Prepare what the options ask for in a folder of its own."""
        effort = QUICK if options.quick else FULL
        self.effort = replace(
            effort,
            **{
                name: value
                for name, value in [
                    ("rounds", options.rounds),
                    ("runs", options.runs),
                    ("runs_of_batches", options.runs),
                    ("batches", options.batches),
                ]
                if value
            },
        )
        self.options = options
        self.shell = Shell(options.timeout)
        self.folder = folder
        self.python = options.python
        self.contest = self.prepare(folder, ARCH, SIZE)
        self.ours, self.peers = self.contest.ours, self.contest.peers
        self.row = self.ours.bench(runs=1)

    def prepare(self, folder, arch, size):
        """Write a network for everyone; return it with the engines."""
        options = self.options
        folder.mkdir(exist_ok=True)
        write_input(folder / "input.npy", size)
        failed = {}
        for what in ["weights", "onnx", "ncnn"]:
            say(f"export {what} of {arch}, {size}x{size}")
            try:
                self.shell.run([options.python, PEERS, "export", what, folder, "--arch", arch])
            except Failure as failure:
                failed[what] = failure
        device = ["--device", options.device] if options.device else []
        ours = Ours(self.shell, options.binary, device, folder, size)
        before = options.before and replace(ours, binary=options.before)
        if "weights" in failed:
            # Nothing to compare with, but ours can still be measured.
            self.shell.run([ours.binary, "init", "--arch", arch, ours.model])
        engines = [
            ("ncnn, Vulkan", "ncnn", options.python, "ncnn"),
            ("ONNX Runtime, WebGPU", "onnxruntime-webgpu", options.python_webgpu, "onnx"),
            ("ONNX Runtime, CPU", "onnxruntime", options.python, "onnx"),
            ("PyTorch, CPU", "torch", options.python, "weights"),
            ("PyTorch, CPU, channels last", "torch-channels-last", options.python, "weights"),
            ("PyTorch, CPU, compiled", "torch-compiled", options.python, "weights"),
            ("PyTorch, CUDA", "torch-cuda", options.python, "weights"),
            ("PyTorch, CUDA, f16, compiled", "torch-cuda-compiled", options.python, "weights"),
        ]
        peers = [
            Peer(self.shell, name, engine, python, folder, arch, failed.get("weights") or failed.get(need))
            for name, engine, python, need in engines
        ]
        return Contest(ours, before, peers)

    def heading(self, arguments):
        """Return what was measured, where and when."""
        described = git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
        beside = {
            f"{peer.name.split(',')[0]} {peer.about['version']} on {peer.about['device']}"
            for peer in self.peers
            if peer.about
        }
        peak = "{peak_gflops:.0f} GFLOP/s, {peak_gigabytes_per_second:.0f} GB/s"
        facts = [
            ("date", date.today().isoformat()),
            ("adapter", f"{self.row['device']}, {self.row['backend']}"),
            ("driver", self.row["driver"]),
            ("peak", peak.format(**self.row) if self.row["peak_gflops"] else None),
            ("processor", f"{processor()}, {os.cpu_count()} threads"),
            ("system", platform.platform()),
            ("commit", described),
            ("beside", "; ".join(sorted(beside))),
            ("command", f"`scripts/compare.sh {arguments}`"),
        ]
        rows = [(fact, value or "unknown") for fact, value in facts]
        return f"# {self.row['device']}\n\n" + table(["", ""], rows)

    def warm(self):
        """Return the table of warm runs of one picture, and with CUDA of 64."""
        text = section(
            "Warm runs",
            "DenseNet-121, 224x224, from numbers of the host to logits of the host; the median of a "
            "process, the best of several. *ratio* is the time over that of `densenet` in f32 with the "
            "same batch: above 1 it is slower than `densenet`. *difference* is the largest of any logit "
            "from PyTorch's on the CPU, over the largest logit.",
            [
                "densenet bench --model M --batch N --precision P --format json",
                "peers.py run ENGINE DIR --batch N",
            ],
        )
        rows = self.warm_rows(1, self.peers, {"runs": self.effort.runs})
        if self.contest.before:
            text += f"*densenet before* is {self.options.before.name}, as it was given.\n\n"
        cuda = [peer for peer in self.peers if "CUDA" in peer.name and peer.about]
        if cuda:
            rows += self.warm_rows(64, cuda, {"runs": self.effort.runs_of_batches})
        return text + table(["engine", "batch", "ms", "ratio", "difference"], rows)

    def warm_rows(self, batch, peers, options):
        """Return a row for each engine."""
        options = {"batch": batch} | options
        engines = {
            name: engine
            for name, engine in self.contest.engines().items()
            if isinstance(engine, Ours) or engine in peers
        }
        measurements = {
            name: lambda engine=engine: engine.seconds(**options) for name, engine in engines.items()
        }
        measurements["densenet, f16"] = lambda: self.ours.seconds(precision="f16", **options)
        seconds = take_turns(self.effort.rounds, measurements)
        differences = {peer.name: peer.about.get("difference") for peer in peers}
        if batch == 1:
            differences[BASE] = self.own_difference()
        return [
            (
                name,
                batch,
                cell(scaled(value, 1e3), "{:.2f}"),
                cell(ratio(value, seconds[BASE]), "{:.2f}"),
                "" if isinstance(value, Failure) else cell(differences.get(name), "{:.1e}"),
            )
            for name, value in seconds.items()
        ]

    def own_difference(self):
        """Return how far our logits are from PyTorch's."""
        try:
            self.shell.run(self.ours.infer())
            printed = self.shell.run(
                [self.python, PEERS, "difference", self.folder / "ours.npy", self.folder]
            )
        except Failure as failure:
            return failure
        return json.loads(last_line(printed))["difference"]

    def starts(self):
        """Return the table of first and second starts."""
        text = section(
            "Starts",
            "Seconds to the first logits of one picture. Ours are those of a whole process, from its "
            "start to its exit; the others' begin when they load the network: Python and its imports "
            "are not in them. *cold*: no cache of ours, and none of the driver's (Mesa's and NVIDIA's "
            "are switched off). *second*: the caches are what a start before has left.",
            [
                "densenet infer input.npy --model M --output logits.npy",
                "peers.py run ENGINE DIR --runs 0",
            ],
        )
        cold_environment, second_environment = environments(self.folder)

        def cold(engine):
            with tempfile.TemporaryDirectory(dir=self.folder) as empty:
                return engine.start(cold_environment | {"DENSENET_CACHE_DIR": empty})

        engines = {BASE: self.ours} | {
            peer.name: peer for peer in self.peers if "compiled" not in peer.name
        }
        first = take_turns(
            self.effort.rounds,
            {name: lambda engine=engine: cold(engine) for name, engine in engines.items()},
        )
        # One round more: the first one fills the caches, and is the slowest.
        second = take_turns(
            self.effort.rounds + 1,
            {
                name: lambda engine=engine: engine.start(second_environment)
                for name, engine in engines.items()
            },
        )
        rows = [
            (
                name,
                cell(first[name], "{:.3f}"),
                cell(ratio(first[name], first[BASE]), "{:.2f}"),
                cell(unless_failed(second[name]), "{:.3f}"),
                cell(ratio(second[name], second[BASE]), "{:.2f}"),
            )
            for name in engines
        ]
        return text + table(["engine", "cold s", "ratio", "second s", "ratio"], rows)

    def throughput(self):
        """Return the table of images a second by batch."""
        text = section(
            "Throughput",
            "Images a second by batch, warm, f32; in brackets those of `densenet` over them: above 1 "
            "it is slower than `densenet`. What fails, and what takes more than "
            f"{SLOW_SECONDS} s for a batch, is not tried with larger ones.",
            [
                "densenet bench --model M --batch N --format json",
                "peers.py run ENGINE DIR --batch N",
            ],
        )
        engines = {
            name: engine for name, engine in self.contest.engines().items() if "f16" not in name
        }
        stopped, columns = set(), []
        for batch in self.effort.batches:
            options = {"batch": batch, "runs": self.effort.runs_of_batches}
            measurements = {
                name: lambda engine=engine: engine.seconds(**options)
                for name, engine in engines.items()
                if name not in stopped
            }
            column = take_turns(self.effort.rounds, measurements)
            columns.append({name: scaled(value, 1 / batch) for name, value in column.items()})
            stopped |= {
                name
                for name, value in column.items()
                if isinstance(value, Failure) or value > SLOW_SECONDS
            }

        def of(name, column):
            if name not in column:
                return ""
            if isinstance(column[name], Failure):
                return cell(column[name], "")
            slower = None if name == BASE else ratio(column[name], column.get(BASE))
            return f"{1 / column[name]:.1f}" + (f" ({slower:.2f})" if slower else "")

        rows = [(name, *(of(name, column) for column in columns)) for name in engines]
        return text + table(["engine", *(f"batch {batch}" for batch in self.effort.batches)], rows)

    def pixels(self):
        """Return the table of what larger pictures cost."""
        text = section(
            "Larger pictures",
            "One picture, warm, f32. *relative* is the time of a megapixel over that at 224x224.",
            ["densenet bench --model M --size HxW --format json"],
        )
        runs = self.effort.runs
        seconds = take_turns(
            self.effort.rounds,
            {
                size: lambda size=size: self.ours.seconds(size=size, runs=runs)
                for size in self.effort.sizes
            },
        )
        per_megapixel = {size: scaled(value, 1e6 / size**2) for size, value in seconds.items()}
        rows = [
            (
                f"{size}x{size}",
                cell(scaled(seconds[size], 1e3), "{:.2f}"),
                cell(scaled(unless_failed(value), 1e3), "{:.1f}"),
                cell(ratio(value, per_megapixel[SIZE]), "{:.2f}"),
            )
            for size, value in per_megapixel.items()
        ]
        return text + table(["picture", "ms", "ms a megapixel", "relative"], rows)

    def others(self):
        """Return the table of other networks and of larger pictures, each beside the others."""
        text = section(
            "Other networks",
            "As the warm runs above, of one picture: milliseconds, and in brackets the time over that of "
            "`densenet` in f32.",
            ["peers.py export WHAT DIR --arch ARCH", "peers.py run ENGINE DIR --arch ARCH"],
        )
        # Those that did not run the first network are not there.
        missing = [peer.name for peer in self.peers if not peer.about]
        columns = {}
        for arch, size in self.effort.networks:
            contest = self.prepare(self.folder / f"{arch}-{size}", arch, size)
            runs = self.effort.runs
            measurements = {
                name: lambda engine=engine: engine.seconds(runs=runs)
                for name, engine in contest.engines().items()
                if name not in missing
            }
            columns[f"{arch}, {size}"] = take_turns(self.effort.rounds, measurements)

        def of(name, column):
            if isinstance(column[name], Failure):
                return cell(column[name], "")
            slower = None if name == BASE else ratio(column[name], column[BASE])
            return f"{column[name] * 1e3:.1f}" + (f" ({slower:.2f})" if slower else "")

        names = next(iter(columns.values()))
        rows = [(name, *(of(name, column) for column in columns.values())) for name in names]
        return text + table(["engine", *columns], rows)

    def memory(self):
        """Return the table of GPU memory."""
        text = section(
            "Memory",
            "MiB on the device. *planned* are weights and activations, *allocated* all buffers of an "
            "engine.",
            [
                "densenet plan --model M --batch N",
                "densenet bench --model M --batch N --format json",
            ],
        )
        rows = []
        for batch in self.effort.batches:
            try:
                planned = self.ours.planned_mib(batch)
                allocated = scaled(
                    self.ours.bench(batch=batch, runs=1)["gpu_memory_bytes"], 1 / MIB
                )
            except Failure as failure:
                planned, allocated = failure, None
            relative = ratio(allocated, planned)
            rows.append(
                (
                    batch,
                    cell(planned, "{:.2f}"),
                    cell(allocated, "{:.2f}"),
                    cell(relative, "{:.3f}"),
                )
            )
        return text + table(["batch", "planned", "allocated", "ratio"], rows)

    def pictures(self):
        """Return the table of a folder of pictures."""
        count = self.effort.pictures
        text = section(
            "A folder of pictures",
            f"JPEGs of 640x480 to labels, {FOLDER_BATCH} at once; images a second between the first "
            f"{FOLDER_BATCH} and the last of {count}, so that the start is not in it. *reading alone*: "
            "the same with a network that computes next to nothing. *network alone*: warm runs with "
            "the same batch. The slower of the two is what can be reached.",
            [
                f"densenet classify FOLDER --model M --preprocess torchvision --batch {FOLDER_BATCH}",
                f"densenet bench --model M --batch {FOLDER_BATCH} --format json",
            ],
        )
        try:
            folders = {
                number: self.folder / f"pictures-{number}" for number in [FOLDER_BATCH, count]
            }
            for number, folder in folders.items():
                folder.mkdir()
                self.shell.run([self.python, PEERS, "pictures", number, folder])
        except Failure as failure:
            return text + table(["", "images/s"], [("classify", cell(failure, ""))])
        models = {"classify": self.ours.model, "reading alone": self.folder / "tiny.safetensors"}
        measurements = {
            f"{name}, {number}": lambda folder=folder, model=model: self.ours.classify(
                folder, model
            )
            for name, model in models.items()
            for number, folder in folders.items()
        }
        options = {"batch": FOLDER_BATCH, "runs": self.effort.runs_of_batches}
        seconds = take_turns(
            self.effort.rounds,
            measurements | {"network alone": lambda: self.ours.seconds(**options)},
        )

        def rate(name):
            few, all_of_them = seconds[f"{name}, {FOLDER_BATCH}"], seconds[f"{name}, {count}"]
            for value in [few, all_of_them]:
                if isinstance(value, Failure):
                    return value
            if all_of_them <= few:
                return Failure(f"{count} pictures took no longer than {FOLDER_BATCH}")
            return (count - FOLDER_BATCH) / (all_of_them - few)

        network = seconds["network alone"]
        rates = {name: rate(name) for name in models}
        rates["network alone"] = network if isinstance(network, Failure) else FOLDER_BATCH / network
        return text + table(
            ["", "images/s"], [(name, cell(value, "{:.1f}")) for name, value in rates.items()]
        )

    def sections(self):
        """Measure one after the other; return each one's text as it is there."""
        for measure in [
            self.warm,
            self.starts,
            self.throughput,
            self.pixels,
            self.others,
            self.memory,
            self.pictures,
        ]:
            say(measure.__name__)
            yield measure()


def section(title, explanation, commands):
    """Return how a section begins."""
    return (
        f"## {title}\n\n{explanation}\n\n"
        + "".join(f"    {command}\n" for command in commands)
        + "\n"
    )


def scaled(value, factor):
    """Return the product, where the value is a number."""
    return value if value is None or isinstance(value, Failure) else value * factor


def unless_failed(value):
    """Return the value, or nothing where another cell says why there is none."""
    return None if isinstance(value, Failure) else value


# The machine


def write_input(path, size):
    """Write one picture's numbers as a .npy file, [1, 3, size, size] of float32."""
    numbers = random.Random(SEED)
    values = array.array("f", (numbers.gauss(0, 1) for _ in range(3 * size * size)))
    if sys.byteorder == "big":
        values.byteswap()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, {size}, {size}), }}"
    # Magic, version and length take 10 bytes; with the header they end at a multiple of 64.
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    path.write_bytes(
        b"\x93NUMPY\x01\x00"
        + len(header).to_bytes(2, "little")
        + header.encode()
        + values.tobytes()
    )


def git(*arguments):
    """Return what git says about this repository, nothing where there is none."""
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()


def processor():
    """Return the processor's name."""
    try:
        return re.search(
            r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )[1]
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


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
        sections = list(comparison.sections())
        text = "\n".join([comparison.heading(shlex.join(own)), *sections])
    print(text, end="")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)


if __name__ == "__main__":
    main()
