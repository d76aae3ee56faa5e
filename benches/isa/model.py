"""What a convolution costs on an AMD GPU by its machine code: issue slots, bandwidth of workgroup memory, ACO's latencies.

It knows no caches, no launches and no clocks: ratios between two of its numbers can be trusted, its times cannot.
"""

from collections import Counter
from dataclasses import dataclass
from math import ceil

from machine_code import Code, ONE_PASS, SLOW

WAVE = 64
MATRIX_CYCLES = 32
# Cycles until what a load brings can be used.
LATENCY = {"memory": 320, "workgroup memory": 60, "constants": 50}
BARRIER_CYCLES = 10


@dataclass(frozen=True)
class Generation:
    """How a compute unit works: its SIMDs, and cycles that a wave's instruction takes one of them."""

    simds: int
    cycles: int
    slow_cycles: int
    one_pass: bool = False  # some instructions take one cycle
    byte_workgroup_memory: int = 128  # a cycle
    byte_cache: int = 64  # a cycle

    def issue(self, instruction):
        if instruction.kind != "vector":
            return 0
        if instruction.multiply_adds(of_matrices=True):
            return MATRIX_CYCLES
        if SLOW.match(instruction.opcode):
            return self.slow_cycles
        return 1 if self.one_pass and ONE_PASS.match(instruction.opcode) else self.cycles


GCN = Generation(simds=4, cycles=4, slow_cycles=16)
RDNA = Generation(simds=2, cycles=2, slow_cycles=8)
RDNA3 = Generation(simds=2, cycles=2, slow_cycles=8, one_pass=True)
FAMILIES = {
    "polaris10": GCN,
    "vega10": GCN,
    "mi200": GCN,
    "navi10": RDNA,
    "navi21": RDNA,
    "navi31": RDNA3,
    "gfx1201": RDNA3,
}


@dataclass(frozen=True)
class Card:
    """A card that is sold: its family, compute units, clock and memory."""

    name: str
    family: str
    units: int
    gigahertz: float
    gigabytes: float  # a second


CARDS = [
    Card("RX 480", "polaris10", 36, 1.27, 256),
    Card("RX Vega 64", "vega10", 64, 1.5, 484),
    Card("RX 5700 XT", "navi10", 40, 1.9, 448),
    Card("RX 6900 XT", "navi21", 80, 2.25, 512),
    Card("RX 7900 XTX", "navi31", 96, 2.5, 960),
    Card("RX 9070 XT", "gfx1201", 64, 2.97, 645),
]


class Tile:
    """The sizes of a convolution's variant, by its name."""

    def __init__(self, variant):
        shader, sizes = variant.split()[:2]
        sizes = [int(size) for size in sizes.split("x")]
        self.of_matrices = shader == "conv_matrix"
        fragment, subgroup = (sizes.pop(0), sizes.pop(0)) if self.of_matrices else (1, 1)
        self.channels, self.pixels, self.depth, own_channels, own_pixels, self.slices = sizes
        self.slice = self.channels // own_channels * (self.pixels // own_pixels) * subgroup
        # Of an invocation, or of a subgroup in whole matrices, in one turn.
        self.multiply_adds = own_channels // fragment * (own_pixels // fragment) * (self.depth // fragment)
        self.own_channels = own_channels // fragment
        self.waves = ceil(self.slice * self.slices / WAVE)

    def staging_turns(self, loop):
        """How often a loop runs that stages quads: of pixels, which are loaded one by one, or of weights, each in one load."""
        widths = [instruction.byte_width() for instruction in loop if instruction.kind == "memory"]
        # A norm's two 16-bit floats may be a fifth load as narrow as a pixel's.
        pixel_quads = widths.count(4) // 4
        quads_a_row = self.pixels / 4 / pixel_quads if pixel_quads else self.channels / 4 / max(1, len(widths))
        return self.depth * quads_a_row / self.slice


class Cost:
    """What one turn of a convolution's loop over input channels costs a wave, in cycles."""

    def __init__(self, path, variant, generation):
        self.tile, self.generation, self.counts = Tile(variant), generation, Counter()
        code = Code.read(path)
        turn = code.turn(self.tile.of_matrices)
        pieces = self.pieces(code, turn)
        self.latency = 0
        for times, piece in pieces:
            for instruction in piece:
                self.counts["issue"] += times * generation.issue(instruction)
                if instruction.kind in ("workgroup memory", "memory"):
                    self.counts["bytes of " + instruction.kind] += times * instruction.byte_width() * WAVE
            # What one turn loads the next may use: a turn without loops inside is timed behind another.
            once = self.wait(piece)
            self.latency += times * (self.wait(piece * 2) - once if len(pieces) == 1 else once)
        self.issue = self.counts["issue"]
        # The SIMDs of a unit share its workgroup memory and its cache.
        self.workgroup_memory = generation.simds * self.counts["bytes of workgroup memory"] / generation.byte_workgroup_memory
        cache = generation.simds * self.counts["bytes of memory"] / generation.byte_cache
        self.busiest = max(self.issue, self.workgroup_memory, cache)
        ideal = MATRIX_CYCLES if self.tile.of_matrices else 1 if generation.one_pass else generation.cycles
        self.share = self.tile.multiply_adds * ideal / self.issue
        self.bound = self.tile.multiply_adds * ideal / self.busiest
        self.once = sum(generation.issue(instruction) for instruction in self.rest(code, turn))

    def pieces(self, code, turn):
        """A turn's code in pieces, each with how often it runs."""
        tile, pieces, at = self.tile, [], turn[0]
        loops, branches = code.within(*turn), code.staging_branches(*turn)
        inside = sum(code.multiply_adds(*loop, tile.of_matrices) for loop in loops)
        outside = code.multiply_adds(*turn, tile.of_matrices) - inside
        for start, end in sorted(loops + branches):
            pieces.append((1, code.instructions[at:start]))
            multiply_adds = code.multiply_adds(start, end, tile.of_matrices)
            times = tile.staging_turns(code.instructions[start:end])
            if (start, end) in branches:  # not all waves stage
                times = min(1, times)
            elif multiply_adds >= (1 if tile.of_matrices else 16):
                times = (tile.multiply_adds - outside) / multiply_adds
            pieces.append((times, code.instructions[start:end]))
            at = end
        return pieces + [(1, code.instructions[at : turn[1]])]

    def rest(self, code, turn):
        """What runs before and after all turns; a loop behind them, once for each of an invocation's channels."""
        around = [loop for loop in code.loops if loop[0] <= turn[0] and turn[1] <= loop[1]]
        first, last = min(loop[0] for loop in around), max(loop[1] for loop in around)
        rest = code.instructions[:first] + code.instructions[last:]
        for start, end in code.within(last, len(code.instructions) + 1):
            rest += code.instructions[start:end] * (self.tile.own_channels - 1)
        return rest

    def wait(self, instructions):
        """Cycles that one wave alone takes for them, one after the other."""
        clock, under_way = 0, []
        for instruction in instructions:
            kind = instruction.kind
            if kind == "vector":
                clock += max(1, self.generation.issue(instruction))
            elif kind in LATENCY:
                under_way.append((kind, clock + LATENCY[kind]))
                clock += 1
            elif kind == "barrier":
                clock += BARRIER_CYCLES
            elif kind != "wait":
                clock += 1
            for kinds, allowed in instruction.waits_for().items() if kind == "wait" else ():
                mine = [load for load in under_way if load[0] in kinds]
                for load in mine[: len(mine) - allowed]:
                    clock = max(clock, load[1])
                    under_way.remove(load)
        return clock


@dataclass(frozen=True)
class Step:
    """A step of a plan, as tests/shaders/written.rs lists it."""

    batch: int
    flops: int
    bytes: int
    workgroups: int
    taps: int
    channels: int
    variant: str

    @classmethod
    def parse(cls, line):
        *numbers, variant = line.rstrip("\n").split("\t")
        return cls(*map(int, numbers), variant)

    def seconds(self, card, cost, resident):
        """Its time on a card and what it waits for; `resident` waves of it fit a SIMD. Without a cost, that of its memory."""
        memory = self.bytes / card.gigabytes / 1e9
        if cost is None:
            return memory, "memory"
        waves = max(1, self.workgroups * cost.tile.waves / (card.units * cost.generation.simds))
        resident = min(resident, waves)
        staged = cost.tile.slices * cost.tile.depth
        if " folded" in self.variant:
            turns = ceil(self.taps * self.channels / staged)
        else:
            turns = self.taps * ceil(self.channels / staged)
        busy = resident * cost.busiest
        why = "arithmetic" if cost.busiest == cost.issue else "workgroup memory"
        why = "latency" if cost.latency > busy else why
        # A wave's beginning and end are mostly waiting.
        cycles = turns * max(cost.latency, busy) + max(2000, resident * cost.once)
        arithmetic = cycles * max(1, waves / resident) / card.gigahertz / 1e9
        return (arithmetic, why) if arithmetic > memory else (memory, "memory")


# Of all floating-point operations.
MOST = 0.8


def bound_of_most(bounds, flops):
    """The bound that kernels with most of the operations reach at least; both by variant."""
    done = 0
    for variant, bound in sorted(bounds.items(), key=lambda kernel: -kernel[1]):
        done += flops[variant]
        if done >= MOST * flops.total():
            return bound
    return 0
