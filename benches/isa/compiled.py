"""What one family's compiler made of the shaders, as `compile` printed it."""

import re
from pathlib import Path

from model import FAMILIES, Cost

# Software devices alone run these: src/kernels/tuning.rs.
FOR_SOFTWARE = ("conv1x1", "conv3x3", "conv7x7", "conv", "strip_pool")
COSTED = ("conv_tiled", "conv_matrix")


class Shader:
    """A variant's statistics, and of the convolutions for GPUs what their loop costs."""

    def __init__(self, line, folder):
        file, self.variant, milliseconds, *statistics = line.split("\t")
        numbers = {name: int(number) for name, number in (statistic.split("=") for statistic in statistics) if number.isdigit()}
        self.name = self.variant.split()[0]
        self.milliseconds = float(milliseconds)
        self.lanes = numbers["Subgroup size"]
        self.registers = numbers["VGPRs"]
        self.spills = numbers["Spilled VGPRs"] + numbers["Spilled SGPRs"]
        self.byte_scratch = numbers["Scratch size"]
        self.byte_workgroup_memory = numbers["LDS size"]
        self.waves = numbers["Subgroups per SIMD"]
        self.byte_code = numbers["Code size"]
        code = folder / (Path(file).stem + ".txt")
        try:
            self.cost = Cost(code, self.variant, FAMILIES[folder.name]) if self.name in COSTED else None
        except ValueError as error:
            raise SystemExit(f"isa: {code}, {self.variant}: {error}") from error


class Family:
    """A family of GPUs: its name, its driver, what it can do, and every shader that it can run."""

    def __init__(self, folder, name):
        lines = (folder / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        self.name = name
        _, self.device, self.driver, *capabilities = lines[0].split("\t")
        self.capabilities = " ".join(capabilities)
        self.shaders = {shader.variant: shader for shader in (Shader(line, folder / name) for line in lines[1:])}

    @property
    def mesa(self):
        """Mesa's version: `25.0.7` of `radv Mesa 25.0.7-2~bpo12+1`."""
        return re.search(r"Mesa (\d+\.\d+\.\d+)", self.driver)[1]


def families(folder):
    """Those that were compiled for, in the order of their age."""
    found = [Family(folder, name) for name in FAMILIES if (folder / f"{name}.tsv").exists()]
    if not found:
        raise SystemExit(f"isa: {folder} has no family's statistics")
    return found
