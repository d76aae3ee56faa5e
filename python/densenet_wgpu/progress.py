"""Progress bars, by tqdm where it is installed."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import DensenetWarning


@contextmanager
def pictures(wanted: bool, sources: Any) -> "Iterator[Callable[[int], object] | None]":
    """Shows a bar of pictures, and yields what moves it; ``None`` if none is wanted or tqdm is missing."""
    bar = _bar(wanted, total=len(sources) if isinstance(sources, (list, tuple)) else None, unit=" pictures")
    if bar is None:
        yield None
        return
    with bar:
        yield bar.update


@contextmanager
def download(wanted: bool, name: str) -> "Iterator[Callable[[int, int], object] | None]":
    """Shows a bar of a download once there is one, and yields what moves it: bytes received and the total."""
    bar: Any = None

    def move(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = _bar(wanted, total=total, unit="B", unit_scale=True, desc=f"fetching {name}")
        if bar is not None:
            bar.update(done - bar.n)

    try:
        yield move if wanted else None
    finally:
        if bar is not None:
            bar.close()


def _bar(wanted: bool, **arguments: Any) -> Any:
    if not wanted:
        return None
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        warnings.warn("progress needs tqdm: pip install tqdm", DensenetWarning, stacklevel=5)
        return None
    return tqdm(**arguments)
