#!/usr/bin/env python3
"""What AMD's compiler makes of the shaders: a report, a budget, and whether the budget is kept.

    report.py write FOLDER STEPS RESULTS    writes the Markdown file RESULTS, and the budget of the driver's Mesa beside this file
    report.py check FOLDER                  exit status 1, and a line for each, where something is worse than that budget

FOLDER has FAMILY.tsv and FAMILY/ for each family, as `compile` prints and writes them; STEPS is tests/shaders/written.rs's.
"""

import datetime
import sys
from collections import Counter
from pathlib import Path

import budget
from compiled import families
from markdown import head, row
from model import CARDS, MOST, Step, bound_of_most

MIXED = ">"  # in a variant's name between types that differ: a network's first or last step
COLUMNS = "VGPRs|spills|scratch, B|LDS, B|waves|code, B|compiled, ms|multiply-add share|LDS ratio|bound|latency".split("|")
# Objections in full.
SHOWN = 40


def family_table(family):
    text = f"\n## {family.name}\n\n{family.device}: {family.capabilities}.\n\n" + head("variant", COLUMNS)
    for shader in family.shaders.values():
        if MIXED in shader.variant:
            continue
        cells = [shader.registers, shader.spills, shader.byte_scratch, shader.byte_workgroup_memory, shader.waves, shader.byte_code]
        cells.append(f"{shader.milliseconds:.0f}")
        if cost := shader.cost:
            cells += [f"{cost.share:.2f}", f"{cost.workgroup_memory / cost.issue:.2f}", f"{cost.bound:.2f}", f"{cost.latency:.0f}"]
        else:
            cells += [""] * 4
        text += row([shader.variant, *cells])
    return text


class Network:
    """The steps of a batch on a card: times, and the operations of each variant."""

    def __init__(self, card, family, steps):
        self.seconds, self.flops, self.waits = Counter(), Counter(), Counter()
        self.bounds = {}
        for step in steps:
            shader = family.shaders[step.variant]
            seconds, why = step.seconds(card, shader.cost, shader.waves)
            self.seconds[step.variant] += seconds
            self.flops[step.variant] += step.flops
            self.waits[why] += seconds
            self.bounds[step.variant] = shader.cost.bound if shader.cost else 0



def modelled(found, steps):
    text = "\n## Modelled: ratios only\n\n"
    text += "DenseNet-121 at 224x224 in 32-bit floats, with the tiles of the rule; without launches, caches and clocks that change.\n"
    text += f"*bound* is what kernels with {MOST:.0%} of the operations reach at least, *waits for* what most of the time goes to.\n\n"
    text += head("card", ["batch", "modelled, ms", "TFLOP/s", "bound", "waits for"])
    networks = {}
    for card in CARDS:
        family = next((family for family in found if family.name == card.family), None)
        for batch in sorted({step.batch for step in steps}) if family else ():
            network = networks[card, batch] = Network(card, family, [step for step in steps if step.batch == batch])
            total = network.seconds.total()
            waits = ", ".join(f"{why} {part / total:.0%}" for why, part in network.waits.most_common(2))
            speed = network.flops.total() / total / 1e12
            text += row([card.name, batch, f"{total * 1e3:.2f}", f"{speed:.1f}", f"{bound_of_most(network.bounds, network.flops):.2f}", waits])
    for batch in sorted({step.batch for step in steps}):
        cards = [card for card in CARDS if (card, batch) in networks]
        text += f"\nThe same by kernel, batch {batch}: ms, and the bound of convolutions.\n\n"
        text += head("variant", ["of all FLOPs"] + [card.name for card in cards])
        flops = networks[cards[0], batch].flops
        for variant, count in flops.most_common():
            parts = [(networks[card, batch].seconds[variant], networks[card, batch].bounds[variant]) for card in cards]
            cells = [f"{seconds * 1e3:.2f}" + (f" ({bound:.2f})" if bound else "") for seconds, bound in parts]
            text += row([variant, f"{count / flops.total():.0%}", *cells])
    return text


def report(found, steps):
    return (
        f"# What AMD's compiler makes of the shaders\n\n"
        f"ACO of {found[0].driver}, {datetime.date.today()}, by `scripts/isa.sh`, on devices that are not there: nothing here has run.\n\n"
        f"*Multiply-add share*, *LDS ratio*, *bound* and *latency* are of one turn of a convolution's loop over input channels:\n"
        f"the part of the vector unit's cycles (of the matrix unit's, for `conv_matrix`) that multiply-adds take; the cycles of\n"
        f"workgroup memory over the vector unit's; the largest share of the peak that these two allow; and the cycles that one\n"
        f"wave alone takes. Kernels between 16-bit and 32-bit floats are left out here, but not in the budget.\n"
        + modelled(found, steps)
        + "".join(map(family_table, found))
    )


def main(arguments):
    match arguments:
        case ["write", folder, steps, results]:
            found = families(Path(folder))
            lines = Path(steps).read_text(encoding="utf-8").splitlines()
            Path(results).write_text(report(found, [Step.parse(line) for line in lines]), encoding="utf-8")
            budget.write(found, path := budget_of(found))
            print(f"isa: {results} and the budget {path.name} written")
        case ["check", folder]:
            found = families(Path(folder))
            wrong = list(budget.spilled(found))
            if (path := budget_of(found)).exists():
                wrong += sorted(budget.worse(found, budget.read(path)))
            else:
                print(f"isa: no budget for Mesa {found[0].mesa} ({path.name}): only spills and scratch are checked")
            for line in wrong[:SHOWN]:
                print(f"isa: {line}")
            if len(wrong) > SHOWN:
                print(f"isa: and {len(wrong) - SHOWN} more")
            compiled = sum(len(family.shaders) for family in found)
            print(f"isa: Mesa {found[0].mesa}: {compiled} shaders compiled for {len(found)} families, {len(wrong)} objections")
            return 1 if wrong else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def budget_of(found):
    return Path(__file__).parent / f"mesa-{found[0].mesa}.tsv"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
