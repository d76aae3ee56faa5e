"""Other networks, and larger pictures."""

from .contest import prepare
from .engine import BASE
from .process import Failure, take_turns
from .table import cell, ratio, section, table


def others(comparison):
    """Return the table of other networks and of larger pictures, each beside the others."""
    text = section(
        "Other networks",
        "As the warm runs above, of one picture: milliseconds, and in brackets the time over that of "
        "`densenet` in f32.",
        ["peers.py export WHAT DIR --arch ARCH", "peers.py run ENGINE DIR --arch ARCH"],
    )
    # Those that did not run the first network are not there.
    missing = [peer.name for peer in comparison.peers if not peer.about]
    columns = {}
    for arch, size in comparison.effort.networks:
        contest = prepare(
            comparison.shell, comparison.options, comparison.folder / f"{arch}-{size}", arch, size
        )
        runs = comparison.effort.runs
        measurements = {
            name: lambda engine=engine: engine.seconds(runs=runs)
            for name, engine in contest.engines().items()
            if name not in missing
        }
        columns[f"{arch}, {size}"] = take_turns(comparison.effort.rounds, measurements)

    def of(name, column):
        if isinstance(column[name], Failure):
            return cell(column[name], "")
        slower = None if name == BASE else ratio(column[name], column[BASE])
        return f"{column[name] * 1e3:.1f}" + (f" ({slower:.2f})" if slower else "")

    names = next(iter(columns.values()))
    rows = [(name, *(of(name, column) for column in columns.values())) for name in names]
    return text + table(["engine", *columns], rows)
