"""What a checkpoint is, before anything runs."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from . import _native, options
from .results import Assumption


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint is."""

    name: str
    """The model's name."""
    architecture: str
    """Its architecture and activation, in a line."""
    container: str
    """The kind of file."""
    dialect: str
    """Whose names its tensors have."""
    wrapper: str
    """What stood before the network's own names."""
    dtype: str
    """Types of its tensors in the file."""
    identity: str
    """What distinguishes its tensors from any others."""
    parameters: int
    """How many numbers it learnt."""
    channels: int
    """Channels of its input."""
    classes: "int | None"
    """The number of its classes; ``None`` if it ends in features."""
    size: "tuple[int, int]"
    """Height and width of its input."""
    labels: "list[str] | None" = field(repr=False)
    """What its classes are called."""
    thresholds: "list[float | None] | None" = field(repr=False)
    """From which probability on each class counts as found."""
    preprocessing: "dict[str, Any]" = field(repr=False)
    """How a picture becomes its input."""
    gpu_memory_bytes: int
    """Memory for one picture on a device."""
    flops: int
    """Operations for one picture."""
    notes: "list[str]"
    """Choices made while reading it."""
    assumed: "list[Assumption]"
    """What was assumed about it, or is unknown."""


def inspect(model: "str | os.PathLike[str]", **model_options: Any) -> Inspection:
    """Returns what a model is, with the arguments of :class:`Classifier`. Opens no device, and runs nothing in the file.

    >>> import densenet_wgpu as dn
    >>> digits = dn.inspect("digits")
    >>> digits.container, digits.classes, digits.size
    ('safetensors', 10, (64, 64))
    """
    return inspect_stated(options.found(model), options.stated(**model_options))


def inspect_stated(model: str, stated: "dict[str, Any]") -> Inspection:
    """Returns what a model is, with all options in the native module's terms."""
    report = json.loads(_native.inspect(model, stated))
    report["size"] = tuple(report["size"])
    report["assumed"] = [Assumption(*assumed) for assumed in report["assumed"]]
    return Inspection(**report)
