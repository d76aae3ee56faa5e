"""What there is to run on."""

import json
from dataclasses import dataclass, field
from typing import Any

from . import _native


@dataclass(frozen=True)
class Device:
    """An adapter: a GPU as a driver offers it, or a software device."""

    index: int
    """Its place in the list; ``device`` takes it."""
    name: str
    """Its name; ``device`` takes a part of it."""
    backend: str
    """The graphics API."""
    kind: str
    """A discrete GPU, an integrated one, a software device, …"""
    driver: str
    """Its driver and the driver's version."""
    pci_address: "str | None"
    """Where the card is, such as ``0000:01:00.0``; ``device`` takes it. ``None`` for software, and where the driver does not say."""
    features: "list[str]" = field(repr=False)
    """Its features that are of use."""
    limits: "dict[str, int]" = field(repr=False)
    """Its limits, in bytes or counts."""

    @property
    def is_software(self) -> bool:
        """Whether it computes on the CPU, many times slower than a GPU."""
        return self.kind == "software device"


def devices() -> "list[Device]":
    """Returns every adapter, the best first.

    >>> import densenet_wgpu as dn
    >>> [device.index for device in dn.devices()][:1]
    [0]
    """
    return [made(one) for one in json.loads(_native.devices())]


def made(report: "dict[str, Any]") -> Device:
    """Returns the device that a report of the native module is about."""
    names = ("index", "name", "backend", "kind", "driver", "pci_address", "features")
    return Device(**{name: report[name] for name in names}, limits=dict(report["limits"]))
