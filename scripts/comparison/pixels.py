"""What larger pictures cost."""

from .engine import SIZE
from .process import take_turns
from .table import cell, ratio, scaled, section, table, unless_failed


def pixels(comparison):
    """Return the table of what larger pictures cost."""
    text = section(
        "Larger pictures",
        "One picture, warm, f32. *relative* is the time of a megapixel over that at 224x224.",
        ["densenet bench --model M --size HxW --format json"],
    )
    runs = comparison.effort.runs
    seconds = take_turns(
        comparison.effort.rounds,
        {
            size: lambda size=size: comparison.ours.seconds(size=size, runs=runs)
            for size in comparison.effort.sizes
        },
    )
    per_megapixel = {size: scaled(value, 1e6 / size**2) for size, value in seconds.items()}
    rows = [
        (
            f"{size}x{size}",
            cell(scaled(seconds[size], 1e3), "{:.2f}"),
            cell(scaled(unless_failed(value), 1e3), "{:.1f}"),
            cell(ratio(value, per_megapixel[SIZE]), "{:.2f}"),
        )
        for size, value in per_megapixel.items()
    ]
    return text + table(["picture", "ms", "ms a megapixel", "relative"], rows)
