"""What every shader may cost: a table for each version of Mesa, and what has become worse than it says.

A line has a variant and a cell for each family, `waves` or `waves share`: how many waves a SIMD holds at once, and what part
of the vector unit's time goes to multiply-adds. The first is what the device can do.
"""

from compiled import FOR_SOFTWARE

DEVICE = "device"
ABSENT = "-"
# Of the multiply-adds' share.
TOLERANCE = 0.9


def cell(shader):
    return f"{shader.waves}" if shader.cost is None else f"{shader.waves} {shader.cost.share:.2f}"


def write(families, path):
    """Writes the table of what was found."""
    variants = list(dict.fromkeys(v for family in families for v, shader in family.shaders.items() if shader.name not in FOR_SOFTWARE))
    lines = [["variant"] + [family.name for family in families], [DEVICE] + [family.capabilities for family in families]]
    for variant in variants:
        lines.append([variant] + [cell(family.shaders[variant]) if variant in family.shaders else ABSENT for family in families])
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def read(path):
    """The table as {family: {variant: cell}}."""
    (_, *names), *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: {line[0]: line[column] for line in lines if line[column] != ABSENT} for column, name in enumerate(names, 1)}


def spilled(families):
    """What is wrong whatever the budget: a kernel for GPUs whose registers do not suffice."""
    for family in families:
        for shader in family.shaders.values():
            if shader.name not in FOR_SOFTWARE and (shader.spills or shader.byte_scratch):
                yield f"{family.name}: {shader.variant}: {shader.spills} registers spilled, {shader.byte_scratch} bytes of scratch"


def worse(families, table):
    """What a family's compiler makes worse than the table says, or cannot be compared with it."""
    found = {family.name: family for family in families}
    for name in table.keys() - found.keys():
        yield f"{name}: in the budget, but this Mesa does not have it"
    for name in found.keys() & table.keys():
        family, cells = found[name], dict(table[name])
        if (expected := cells.pop(DEVICE)) != family.capabilities:
            yield f"{name}: can do `{family.capabilities}`, expected `{expected}`"
        for variant in family.shaders.keys() | cells.keys():
            shader, expected = family.shaders.get(variant), cells.get(variant)
            if shader is None:
                yield f"{name}: {variant}: in the budget, but not compiled"
            elif expected is None and shader.name not in FOR_SOFTWARE:
                yield f"{name}: {variant}: not in the budget: scripts/isa.sh writes it"
            elif expected is not None:
                waves, *share = expected.split()
                if shader.waves < int(waves):
                    yield f"{name}: {variant}: {shader.waves} waves, expected at least {waves}"
                if share and shader.cost.share < TOLERANCE * float(share[0]):
                    yield f"{name}: {variant}: multiply-adds have {shader.cost.share:.2f} of the time, expected about {share[0]}"
