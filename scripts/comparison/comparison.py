"""What takes part in a comparison, and how much is measured."""

import os
import platform
from dataclasses import replace
from datetime import date

from .contest import prepare
from .effort import FULL, QUICK
from .engine import ARCH, SIZE
from .machine import git, processor
from .process import Shell
from .table import table


class Comparison:
    """The engines that are compared, and how much is measured of them."""

    def __init__(self, options, folder):
        """Prepare what the options ask for in a folder of its own."""
        effort = QUICK if options.quick else FULL
        self.effort = replace(
            effort,
            **{
                name: value
                for name, value in [
                    ("rounds", options.rounds),
                    ("runs", options.runs),
                    ("runs_of_batches", options.runs),
                    ("batches", options.batches),
                ]
                if value
            },
        )
        self.options = options
        self.shell = Shell(options.timeout)
        self.folder = folder
        self.python = options.python
        self.contest = prepare(self.shell, options, folder, ARCH, SIZE)
        self.ours, self.peers = self.contest.ours, self.contest.peers
        self.row = self.ours.bench(runs=1)

    def heading(self, arguments):
        """Return what was measured, where and when."""
        described = git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
        beside = {
            f"{peer.name.split(',')[0]} {peer.about['version']} on {peer.about['device']}"
            for peer in self.peers
            if peer.about
        }
        peak = "{peak_gflops:.0f} GFLOP/s, {peak_gigabytes_per_second:.0f} GB/s"
        facts = [
            ("date", date.today().isoformat()),
            ("adapter", f"{self.row['device']}, {self.row['backend']}"),
            ("driver", self.row["driver"]),
            ("peak", peak.format(**self.row) if self.row["peak_gflops"] else None),
            ("processor", f"{processor()}, {os.cpu_count()} threads"),
            ("system", platform.platform()),
            ("commit", described),
            ("beside", "; ".join(sorted(beside))),
            ("command", f"`scripts/compare.sh {arguments}`"),
        ]
        rows = [(fact, value or "unknown") for fact, value in facts]
        return f"# {self.row['device']}\n\n" + table(["", ""], rows)
