"""Warm runs of one picture, and with CUDA of 64."""

import json

from .engine import BASE, PEERS, Ours
from .process import Failure, last_line, take_turns
from .table import cell, ratio, scaled, section, table


def warm(comparison):
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
    rows = warm_rows(comparison, 1, comparison.peers, {"runs": comparison.effort.runs})
    if comparison.contest.before:
        text += f"*densenet before* is {comparison.options.before.name}, as it was given.\n\n"
    cuda = [peer for peer in comparison.peers if "CUDA" in peer.name and peer.about]
    if cuda:
        rows += warm_rows(comparison, 64, cuda, {"runs": comparison.effort.runs_of_batches})
    return text + table(["engine", "batch", "ms", "ratio", "difference"], rows)


def warm_rows(comparison, batch, peers, options):
    """Return a row for each engine."""
    options = {"batch": batch} | options
    engines = {
        name: engine
        for name, engine in comparison.contest.engines().items()
        if isinstance(engine, Ours) or engine in peers
    }
    measurements = {
        name: lambda engine=engine: engine.seconds(**options) for name, engine in engines.items()
    }
    measurements["densenet, f16"] = lambda: comparison.ours.seconds(precision="f16", **options)
    seconds = take_turns(comparison.effort.rounds, measurements)
    differences = {peer.name: peer.about.get("difference") for peer in peers}
    if batch == 1:
        differences[BASE] = own_difference(comparison)
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


def own_difference(comparison):
    """Return how far our logits are from PyTorch's."""
    try:
        comparison.shell.run(comparison.ours.infer())
        printed = comparison.shell.run(
            [comparison.python, PEERS, "difference", comparison.folder / "ours.npy", comparison.folder]
        )
    except Failure as failure:
        return failure
    return json.loads(last_line(printed))["difference"]
