"""GPU memory by batch."""

from .process import Failure
from .table import cell, ratio, scaled, section, table

MIB = 1 << 20


def memory(comparison):
    """Return the table of GPU memory."""
    text = section(
        "Memory",
        "MiB on the device. *planned* are weights and activations, *allocated* all buffers of an "
        "engine.",
        [
            "densenet plan --model M --batch N",
            "densenet bench --model M --batch N --format json",
        ],
    )
    rows = []
    for batch in comparison.effort.batches:
        try:
            planned = comparison.ours.planned_mib(batch)
            allocated = scaled(
                comparison.ours.bench(batch=batch, runs=1)["gpu_memory_bytes"], 1 / MIB
            )
        except Failure as failure:
            planned, allocated = failure, None
        relative = ratio(allocated, planned)
        rows.append(
            (
                batch,
                cell(planned, "{:.2f}"),
                cell(allocated, "{:.2f}"),
                cell(relative, "{:.3f}"),
            )
        )
    return text + table(["batch", "planned", "allocated", "ratio"], rows)
