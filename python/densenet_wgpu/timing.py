"""How fast a network runs, as Python sees it."""

import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .classifier import Classifier


class Timing(NamedTuple):
    """How fast batches of one size run."""

    batch: int
    """Images in each run."""
    cold_ms: float
    """From opening the model to the first logits."""
    p50_ms: float
    """The median of warm runs, from array to array."""
    p95_ms: float
    """What 95 of 100 warm runs did not exceed."""
    images_per_second: float
    """Of warm runs, one after the other."""
    gflops: float
    """Billions of the network's operations a second, at the median."""


def bench(
    model: "str | os.PathLike[str]", *, batch: "int | Sequence[int]" = 1, runs: "int | None" = None, **model_options: Any
) -> "list[Timing]":
    """Measures ``logits`` for one batch size or several; other arguments are those of :class:`Classifier`.

    Warm runs are ``runs``, otherwise as many as two seconds take and at least ten.

    >>> import densenet_wgpu as dn
    >>> [timing] = dn.bench("digits", batch=2, runs=3)
    >>> timing.batch, timing.p50_ms <= timing.p95_ms
    (2, True)
    """
    sizes = [batch] if isinstance(batch, int) else list(batch)
    return [_measured(model, size, runs, model_options) for size in sizes]


def _measured(model: "str | os.PathLike[str]", batch: int, runs: "int | None", model_options: "dict[str, Any]") -> Timing:
    start = time.perf_counter()
    with Classifier(model, batch=batch, **model_options) as classifier:
        count = batch * int(np.prod(classifier.input_shape))
        values = np.sin(np.arange(count, dtype=np.float32) * 0.37).reshape(batch, *classifier.input_shape)
        classifier.logits(values)
        cold = time.perf_counter() - start
        _until(classifier, values, 2, 0.2)
        times = _until(classifier, values, runs or 10, 0 if runs else 2)
        p50, p95 = map(float, np.percentile(times, [50, 95], method="inverted_cdf"))
        flops = batch * classifier.inspect().flops
        return Timing(batch, 1e3 * cold, 1e3 * p50, 1e3 * p95, batch * len(times) / sum(times), flops / p50 / 1e9)


def _until(classifier: Classifier, values: "np.ndarray[Any, Any]", runs: int, seconds: float) -> "list[float]":
    """Returns the seconds of each run: at least so many, until so much time has passed."""
    times: "list[float]" = []
    while len(times) < runs or sum(times) < seconds:
        start = time.perf_counter()
        classifier.logits(values)
        times.append(time.perf_counter() - start)
    return times
