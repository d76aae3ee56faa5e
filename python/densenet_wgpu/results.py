"""What comes of a picture."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _native
from .errors import InputError


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class of a picture.

    >>> Prediction(7, "7", 0.969, 3.95)
    Prediction(index=7, label='7', probability=0.969, logit=3.95)
    """

    index: int
    """The class, counted from 0."""
    label: str
    """What it is called; its index if nothing names it."""
    probability: "float | None"
    """Its probability; ``None`` if nobody said what a logit is."""
    logit: float
    """The network's output for it."""


class Assumption(NamedTuple):
    """Something about a model that neither its file nor the caller states."""

    field: str
    """What it is about: ``"activation"``, ``"labels"``, ``"preprocessing"``, …"""
    value: "str | None"
    """What is assumed; ``None`` if it stays open."""
    why: str
    """Why it is assumed, or open."""
    remedy: str
    """The argument that states it."""

    def __str__(self) -> str:
        assumed = "open" if self.value is None else f"{self.value} is assumed"
        return f"{self.field}: {assumed}; {self.why} ({self.remedy})"


class View(NamedTuple):
    """The part of a picture that the network saw, in the picture's pixels. It extends beyond a picture that was padded."""

    top: float
    left: float
    height: float
    width: float


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Where in a picture each class was seen: its class activation maps, in units of the logit."""

    predictions: "list[Prediction]"
    """The likeliest classes, likeliest first."""
    view: View
    """The part of the picture that the maps cover."""
    maps: "npt.NDArray[np.float32]" = field(repr=False)
    """A map for each class, ``[classes, h, w]``. The mean of a map and the class's bias make its logit."""

    def of(self, index: "int | None" = None) -> "npt.NDArray[np.float32]":
        """Returns the map of a class, ``[h, w]``; without an index that of the likeliest."""
        index = self.predictions[0].index if index is None else index
        if not 0 <= index < len(self.maps):
            raise InputError(f"expected one of {len(self.maps)} classes, counted from 0, found class {index}")
        found: "npt.NDArray[np.float32]" = self.maps[index]
        return found

    def overlay(self, picture: Any, index: "int | None" = None) -> "npt.NDArray[np.uint8]":
        """Returns the picture under the colours of a class's map, uint8 ``[H, W, 3]``.

        ``picture`` is the whole one: uint8 ``[H, W]`` or ``[H, W, C]``, or Pillow's.
        """
        samples = np.asarray(picture)
        if samples.dtype != np.uint8 or samples.ndim not in (2, 3):
            raise InputError(f"expected a picture, uint8 [H, W] or [H, W, C], found {samples.dtype} {list(samples.shape)}")
        samples = samples[..., np.newaxis] if samples.ndim == 2 else samples
        return _native.overlay(np.ascontiguousarray(self.of(index)), np.ascontiguousarray(samples), self.view)
