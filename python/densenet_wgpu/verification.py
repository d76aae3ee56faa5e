"""Whether a device computes a network as the reference does."""

import json
import os
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _native, options
from .device import Device, made
from .errors import InputError
from .inspection import inspect_stated


class LayerCheck(NamedTuple):
    """One layer on a device, compared with the reference."""

    layer: str
    """The layer's name."""
    step: str
    """The step of the plan that completed it."""
    kernel: str
    """The kernel of that step."""
    shape: "list[int]"
    """``[N, C, H, W]``."""
    worst: "list[int]"
    """Where the largest difference is."""
    found: float
    """The device's value there."""
    expected: float
    """The reference's value there."""
    error: float
    """The difference there, relative to the largest magnitude in the layer."""
    agrees: bool
    """Whether it is within the tolerance."""


@dataclass(frozen=True)
class Verification:
    """A network on a device, compared with the reference in every layer."""

    model: str
    """The model's name."""
    device: Device
    """The device."""
    precision: str
    """What it computed in."""
    tolerance: float
    """How much a value may differ, relative to the largest magnitude of its layer."""
    fused: "list[LayerCheck]" = field(repr=False)
    """The layers as the network runs, in the order in which they were completed."""
    unfused: "list[LayerCheck]" = field(repr=False)
    """The layers with a kernel for each operation."""

    @property
    def agrees(self) -> bool:
        """Whether every layer is within the tolerance."""
        return self.first_divergence is None

    @property
    def first_divergence(self) -> "LayerCheck | None":
        """The first layer that exceeds the tolerance; later ones may differ as a consequence."""
        return next((layer for layer in [*self.fused, *self.unfused] if not layer.agrees), None)

    @property
    def worst(self) -> LayerCheck:
        """The layer with the largest error."""
        return max([*self.fused, *self.unfused], key=lambda layer: layer.error)


def verify(
    model: "str | os.PathLike[str]", values: "npt.NDArray[np.float32] | None" = None, *, batch: int = 1, **model_options: Any
) -> Verification:
    """Compares a device with the reference, in every layer of a model.

    ``values`` is what the network reads, float32 ``[N, C, H, W]``; otherwise noise, ``batch`` images of the model's size. Other arguments
    are those of :class:`Classifier`; ``device`` is one GPU.

    >>> import densenet_wgpu as dn
    >>> found = dn.verify("digits")
    >>> found.agrees, found.worst.error < found.tolerance
    (True, True)
    """
    name, stated = options.found(model), options.stated(**model_options)
    if values is None:
        inspection = inspect_stated(name, stated)
        shape = (batch, inspection.channels, *inspection.size)
        values = np.random.default_rng(0).uniform(-2, 2, shape).astype(np.float32)
    if values.dtype != np.float32 or values.ndim != 4 or len(values) == 0:
        found = f"{values.dtype} {list(values.shape)}"
        raise InputError(f"expected float32 [N, C, H, W] with at least one image, found {found}; x.astype(numpy.float32)")
    report = json.loads(_native.verify(name, stated, np.ascontiguousarray(values)))
    fused, unfused = ([LayerCheck(**layer) for layer in one["layers"]] for one in report["passes"])
    device = made(report["device"])
    return Verification(report["model"], device, report["precision"], report["tolerance"], fused, unfused)
