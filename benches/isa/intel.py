#!/usr/bin/env python3
"""What Intel's compiler makes of the shaders: a report, and whether a kernel spills that the rule gives these devices.

    intel.py FOLDER STEPS RESULTS    writes the Markdown file RESULTS; exit status 1, and a line for each, where one spills

FOLDER has PLATFORM.tsv and PLATFORM/ for each platform, as `compile` prints and writes them; STEPS has steps-integrated.tsv and
steps-discrete.tsv of tests/shaders/written.rs.
"""

import datetime
import re
import sys
from collections import Counter
from pathlib import Path

from markdown import head, row
from model import MOST, Step, Tile, bound_of_most

# Cycles of a unit that a word of each lane takes from workgroup memory: it gives a byte for each lane of the unit's width.
CYCLES_OF_A_WORD = 4
DISCRETE = ("dg2", "bmg")
COLUMNS = "lanes|instructions|spills|fills|live registers|compiled, ms|multiply-adds|others|share|LDS ratio|bound".split("|")
MIXED = ">"  # in a variant's name between types that differ: a network's first or last step


class Turn:
    """One turn of a convolution's loop over input channels, in cycles of a unit: an instruction that is no message takes one."""

    def __init__(self, lines, variant):
        labels, loops = {}, []
        for place, line in enumerate(lines):
            if label := re.match(r"(LABEL\d+):", line):
                labels[label[1]] = place
            elif back := re.match(r"(?:\(.*?\) )?while\(\d+\)\s+JIP:\s+(LABEL\d+)", line):
                loops.append((labels[back[1]], place + 1))
        whole = [loop for loop in loops if self.is_whole(lines[slice(*loop)])]
        if not whole:
            raise ValueError("no loop that stages and multiplies")
        start, end = min(whole, key=lambda loop: loop[1] - loop[0])
        inside = [lines[a:b] for a, b in loops if start < a and b < end]
        self.counts = self.count(lines[start:end])
        expected = Tile(variant).multiply_adds
        for loop in inside:
            own = self.count(loop)
            # As often as makes the turn whole; it is counted once already.
            times = (expected - self.counts["multiply-add"]) / own["multiply-add"] if own["multiply-add"] else 0
            for what, number in own.items():
                self.counts[what] += times * number
        self.issue = self.counts["multiply-add"] + self.counts["other"]
        self.workgroup_memory = CYCLES_OF_A_WORD * self.counts["word"]
        # The norm before a convolution multiplies too, what it stages.
        self.share = expected / self.issue
        self.bound = expected / max(self.issue, self.workgroup_memory)

    def is_whole(self, lines):
        return any("barrier" in line for line in lines) and self.count(lines)["multiply-add"] >= 32

    @staticmethod
    def count(lines):
        """Multiply-adds, other instructions of the unit, and words that a lane gets from workgroup memory."""
        counts = Counter()
        for line in lines:
            if "Surface = 254" in line and " read" in line:
                registers, lanes = re.search(r"rlen (\d+)", line), re.search(r"SIMD(\d+)", line)
                counts["word"] += int(registers[1]) * 8 / int(lanes[1])
            elif re.search(r"\bslm MsgDesc: \( load", line):
                counts["word"] += int(re.search(r"\bV(\d+)", line)[1])
            elif instruction := re.match(r"(?:\(.*?\) )?([a-z]+)\S*\s?\S*\(\d+\)", line):
                opcode = instruction[1]
                if opcode in ("mad", "mac"):
                    counts["multiply-add"] += 1
                elif opcode not in ("send", "sends", "sendc", "sync", "nop"):
                    counts["other"] += 1
        return counts


class Shader:
    """A variant's statistics, and of the convolutions for GPUs what a turn holds."""

    def __init__(self, line, folder):
        file, self.variant, milliseconds, *statistics = line.split("\t")
        numbers = dict(statistic.split("=") for statistic in statistics)
        self.milliseconds = float(milliseconds)
        self.lanes = numbers["Subgroup size"]
        self.instructions = numbers["Instruction Count"]
        self.spills, self.fills = int(numbers["Spill Count"]), int(numbers["Fill Count"])
        self.registers = numbers["Max live registers"]
        self.turn = None
        if self.variant.startswith("conv_tiled"):
            code = folder / (Path(file).stem + ".txt")
            try:
                self.turn = Turn(code.read_text(encoding="utf-8").splitlines(), self.variant)
            except ValueError as error:
                raise SystemExit(f"intel: {code}, {self.variant}: {error}") from error

    def cells(self):
        yield from (self.lanes, self.instructions, self.spills, self.fills, self.registers, f"{self.milliseconds:.0f}")
        if turn := self.turn:
            yield from (f"{turn.counts['multiply-add']:.0f}", f"{turn.counts['other']:.0f}", f"{turn.share:.2f}")
            yield from (f"{turn.workgroup_memory / turn.issue:.2f}", f"{turn.bound:.2f}")
        else:
            yield from [""] * 5


class Platform:
    """A platform: its name, its driver, what it can do, and every shader that it can run."""

    def __init__(self, path, steps):
        """`steps` is what such a device runs, by whether it is discrete."""
        lines = path.read_text(encoding="utf-8").splitlines()
        self.name = path.stem
        self.steps = steps[self.name in DISCRETE]
        _, self.device, self.driver, *capabilities = lines[0].split("\t")
        self.capabilities = " ".join(capabilities)
        self.shaders = {shader.variant: shader for shader in (Shader(line, path.with_suffix("")) for line in lines[1:])}

    def bound(self, batch):
        """What kernels of 32-bit floats with most of the operations reach at least."""
        flops, bounds = Counter(), {}
        for step in self.steps:
            if step.batch != batch or "f16" in step.variant:
                continue
            flops[step.variant] += step.flops
            turn = self.shaders[step.variant].turn
            bounds[step.variant] = turn.bound if turn else 0
        return bound_of_most(bounds, flops)

    def spilled(self):
        for variant in sorted({step.variant for step in self.steps}):
            if self.shaders[variant].spills:
                yield f"{self.name}: {variant}: {self.shaders[variant].spills} registers spilled, and the rule gives it these devices"


def report(platforms):
    batches = sorted({step.batch for step in platforms[0].steps})
    text = (
        f"# What Intel's compiler makes of the shaders\n\n"
        f"brw of {platforms[0].driver}, {datetime.date.today()}, by `scripts/intel.sh`, on devices that are not there: nothing\n"
        f"here has run.\n\n"
        f"*Multiply-adds* and *others*, which are no messages, are instructions in one turn of a convolution's loop over input\n"
        f"channels; *share* is that of the multiply-adds; *LDS ratio* the cycles of workgroup memory over those of instructions;\n"
        f"*bound* the largest share of the peak that these two allow. `conv1x1`, `conv3x3`, `conv7x7`, `conv` and `strip_pool` are for software devices.\n\n"
        f"DenseNet-121 at 224x224 in 32-bit floats with the tiles of the rule: the bound that kernels with {MOST:.0%} of the\n"
        f"operations reach at least.\n\n"
    )
    text += head("platform", [f"batch {batch}" for batch in batches])
    for platform in platforms:
        text += row([platform.device, *(f"{platform.bound(batch):.2f}" for batch in batches)])
    for platform in platforms:
        text += f"\n## {platform.name}\n\n{platform.device}: {platform.capabilities}.\n\n" + head("variant", COLUMNS)
        text += "".join(row([shader.variant, *shader.cells()]) for shader in platform.shaders.values() if MIXED not in shader.variant)
    return text


def read_steps(path):
    return [Step.parse(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder, steps, results = map(Path, arguments)
    steps = [read_steps(steps / "steps-integrated.tsv"), read_steps(steps / "steps-discrete.tsv")]
    platforms = [Platform(path, steps) for path in sorted(folder.glob("*.tsv"), key=lambda path: path.stat().st_mtime_ns)]
    if not platforms:
        raise SystemExit(f"intel: {folder} has no platform's statistics")
    results.write_text(report(platforms), encoding="utf-8")
    wrong = [line for platform in platforms for line in platform.spilled()]
    for line in wrong:
        print(f"intel: {line}")
    compiled = sum(len(platform.shaders) for platform in platforms)
    print(f"intel: {platforms[0].driver}: {compiled} shaders compiled for {len(platforms)} platforms, {len(wrong)} objections; {results} written")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
