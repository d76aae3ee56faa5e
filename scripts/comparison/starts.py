"""First and second starts."""

import tempfile
from pathlib import Path

from .engine import BASE
from .process import take_turns
from .table import cell, ratio, section, table, unless_failed


def environments(folder):
    """Return the environment of a start without caches, and of one that finds them filled."""
    filled = folder / "filled"
    cold = {
        "MESA_SHADER_CACHE_DISABLE": "true",
        "__GL_SHADER_DISK_CACHE": "0",
        "CUDA_CACHE_DISABLE": "1",
    }
    second = {
        "DENSENET_CACHE_DIR": str(filled / "densenet"),
        "MESA_SHADER_CACHE_DIR": str(filled / "mesa"),
        "__GL_SHADER_DISK_CACHE_PATH": str(filled / "nvidia"),
        "CUDA_CACHE_PATH": str(filled / "cuda"),
    }
    for path in second.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    return cold, second


def starts(comparison):
    """Return the table of first and second starts."""
    text = section(
        "Starts",
        "Seconds to the first logits of one picture. Ours are those of a whole process, from its "
        "start to its exit; the others' begin when they load the network: Python and its imports "
        "are not in them. *cold*: no cache of ours, and none of the driver's (Mesa's and NVIDIA's "
        "are switched off). *second*: the caches are what a start before has left.",
        [
            "densenet infer input.npy --model M --output logits.npy",
            "peers.py run ENGINE DIR --runs 0",
        ],
    )
    cold_environment, second_environment = environments(comparison.folder)

    def cold(engine):
        with tempfile.TemporaryDirectory(dir=comparison.folder) as empty:
            return engine.start(cold_environment | {"DENSENET_CACHE_DIR": empty})

    engines = {BASE: comparison.ours} | {
        peer.name: peer for peer in comparison.peers if "compiled" not in peer.name
    }
    first = take_turns(
        comparison.effort.rounds,
        {name: lambda engine=engine: cold(engine) for name, engine in engines.items()},
    )
    # One round more: the first one fills the caches, and is the slowest.
    second = take_turns(
        comparison.effort.rounds + 1,
        {
            name: lambda engine=engine: engine.start(second_environment)
            for name, engine in engines.items()
        },
    )
    rows = [
        (
            name,
            cell(first[name], "{:.3f}"),
            cell(ratio(first[name], first[BASE]), "{:.2f}"),
            cell(unless_failed(second[name]), "{:.3f}"),
            cell(ratio(second[name], second[BASE]), "{:.2f}"),
        )
        for name in engines
    ]
    return text + table(["engine", "cold s", "ratio", "second s", "ratio"], rows)
