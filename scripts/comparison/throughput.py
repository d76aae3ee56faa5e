"""Images a second by batch."""

from .engine import BASE
from .process import Failure, take_turns
from .table import cell, ratio, scaled, section, table

SLOW_SECONDS = 15  # a batch's


def throughput(comparison):
    """Return the table of images a second by batch."""
    text = section(
        "Throughput",
        "Images a second by batch, warm, f32; in brackets those of `densenet` over them: above 1 "
        "it is slower than `densenet`. What fails, and what takes more than "
        f"{SLOW_SECONDS} s for a batch, is not tried with larger ones.",
        [
            "densenet bench --model M --batch N --format json",
            "peers.py run ENGINE DIR --batch N",
        ],
    )
    engines = {
        name: engine for name, engine in comparison.contest.engines().items() if "f16" not in name
    }
    stopped, columns = set(), []
    for batch in comparison.effort.batches:
        options = {"batch": batch, "runs": comparison.effort.runs_of_batches}
        measurements = {
            name: lambda engine=engine: engine.seconds(**options)
            for name, engine in engines.items()
            if name not in stopped
        }
        column = take_turns(comparison.effort.rounds, measurements)
        columns.append({name: scaled(value, 1 / batch) for name, value in column.items()})
        stopped |= {
            name
            for name, value in column.items()
            if isinstance(value, Failure) or value > SLOW_SECONDS
        }

    def of(name, column):
        if name not in column:
            return ""
        if isinstance(column[name], Failure):
            return cell(column[name], "")
        slower = None if name == BASE else ratio(column[name], column.get(BASE))
        return f"{1 / column[name]:.1f}" + (f" ({slower:.2f})" if slower else "")

    rows = [(name, *(of(name, column) for column in columns)) for name in engines]
    return text + table(["engine", *(f"batch {batch}" for batch in comparison.effort.batches)], rows)
