"""The arguments of a classifier, as the native module takes them."""

import json
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _native
from .errors import InputError

DEFAULTS: "dict[str, Any]" = {
    "device": None,
    "software": "warn",
    "precision": "f32",
    "batch": 16,
    "batch_invariant": False,
    "self_test": True,
    "preprocess": None,
    "activation": None,
    "size": None,
    "labels": None,
    "ten_crops": False,
    "flip": False,
    "average": "probabilities",
    "upright": False,
    "truncated": False,
    "voi_lut": False,
    "sample_range": None,
    "max_pixels": None,
    "max_bytes": None,
    "root": None,
    "head": None,
    "head_layers": None,
    "stem": None,
    "new_channels": None,
    "features_only": False,
    "final_relu": True,
    "blur": True,
    "epsilon": None,
}


def stated(**arguments: Any) -> "dict[str, Any]":
    """Returns every option: those in ``arguments`` in the native module's terms, the others' defaults."""
    for name in arguments.keys() - DEFAULTS.keys():
        raise TypeError(f"unexpected argument {name!r}{_native.nearest(name, list(DEFAULTS))}")
    options = {**DEFAULTS, **arguments}
    options["device"] = _devices(options["device"])
    options["batch"] = count("batch", options["batch"])
    options["size"] = _size(options["size"])
    for limit in ("max_pixels", "max_bytes"):
        options[limit] = None if options[limit] is None else count(limit, options[limit])
    options["preprocess"] = _preprocessing(options["preprocess"])
    options["sample_range"], options["own_sample_range"] = _sample_range(options["sample_range"])
    if isinstance(options["labels"], os.PathLike):
        options["labels"] = os.fspath(options["labels"])
    if isinstance(options["head_layers"], str):
        options["head_layers"] = options["head_layers"].split(",")
    return options


def found(model: "str | os.PathLike[str]") -> str:
    """Returns the model's name, or the absolute path of its file, which another process finds too."""
    if not isinstance(model, (str, os.PathLike)):
        raise InputError(f"model: expected a name, an hf:// address or the path of a checkpoint, found {type(model).__name__}")
    name = os.fspath(model)
    is_file = name not in _native.models() and not name.startswith("hf://") and os.path.exists(name)
    return os.path.abspath(name) if is_file else name


def count(name: str, number: Any) -> int:
    """Returns a number of things, at least one."""
    try:
        found = operator.index(number)
    except TypeError:
        raise InputError(f"{name}: expected a whole number, found {type(number).__name__}") from None
    if found < 1:
        raise InputError(f"{name}: expected at least 1, found {found}")
    return found


def _devices(device: "int | str | Sequence[int | str] | None") -> "str | None":
    if device is None or isinstance(device, str):
        return device
    if isinstance(device, int):
        return str(device)
    names = [str(one) for one in device]
    if not names:
        raise InputError("device: expected at least one device, found none; None is the best there is")
    return ",".join(names)


def _size(size: "int | Sequence[int] | None") -> "tuple[int, int] | None":
    if size is None:
        return None
    sides = list(size) if isinstance(size, Sequence) else [size, size]
    if len(sides) != 2:
        raise InputError(f"size: expected (height, width) or one number for both, found {size!r}")
    return count("size", sides[0]), count("size", sides[1])


def _preprocessing(preprocess: "str | os.PathLike[str] | Mapping[str, Any] | None") -> "str | None":
    if preprocess is None:
        return None
    if isinstance(preprocess, Mapping):
        return json.dumps(dict(preprocess))
    name = os.fspath(preprocess)
    if name in _native.presets() or name.lstrip().startswith("{"):
        return name
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        known = ", ".join(_native.presets())
        nearest = _native.nearest(name, _native.presets())
        expected = f"expected {known}, a JSON file or a dictionary"
        raise InputError(f"preprocess: {expected}, found {name!r} ({error.strerror}){nearest}") from error


def _sample_range(ends: "tuple[int, int] | str | None") -> "tuple[tuple[int, int] | None, bool]":
    if ends is None or ends == "auto":
        return None, ends == "auto"
    if isinstance(ends, str) or len(ends) != 2 or ends[0] >= ends[1]:
        raise InputError(f'sample_range: expected (least, most) or "auto", found {ends!r}')
    return (ends[0], ends[1]), False
