"""The machine code of an AMD GPU, from the text that RADV shows: what each instruction is, and where the hot loop lies.

RADV shows LLVM's disassembly, and ACO's own listing for a GPU that is too new for the LLVM it was built with. Both are read
here: the same opcodes, but for older names of loads and stores, with their results in front of a `=` in ACO's.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

LABEL = re.compile(r"(BB\d+):?$")
JUMP = re.compile(r"s_c?branch\S* (?:block:)?(BB\d+)")
MULTIPLY_ADD = re.compile(r"v_(dual_)?(fma|fmac|mac|mad|fmaak|fmamk)_f32|v_fma_mix_f32")
MATRIX_MULTIPLY_ADD = "v_wmma"
# The vector unit does these at a quarter of its speed.
SLOW = re.compile(r"v_mul_(lo|hi)_[ui]32|v_mad_[ui]64|v_(rcp|rsq|sqrt|exp|log|sin|cos)_f32")
# What RDNA 3 does for all 64 lanes of a wave in one pass, as ACO's own statistics assume.
ONE_PASS = re.compile(
    r"v_(fma|fmac|fmaak|fmamk|add|sub|subrev|mul|max|min)_(f32|f16)|v_mov_b32|v_cndmask_b32|v_dot2|v_(add|sub|mul_lo|mad)_[iu]16|v_fma_mix"
)
KINDS = [
    ("vector", "v_"),
    ("workgroup memory", "ds_"),
    ("memory", ("buffer_", "global_", "flat_", "scratch_")),
    ("constants", ("s_load", "s_buffer_load")),
    ("barrier", ("s_barrier", "s_barrier_wait")),
    ("wait", ("s_wait", "s_delay", "s_nop", "s_clause", "s_set_inst", "s_inst_pref", "s_code_end")),
    ("branch", ("s_branch", "s_cbranch")),
    ("scalar", "s_"),
]


@dataclass(frozen=True)
class Instruction:
    """One instruction: its opcode, and its text from there on."""

    opcode: str
    text: str

    @cached_property
    def kind(self):
        return next((kind for kind, starts in KINDS if self.opcode.startswith(starts)), "scalar")

    @property
    def stages(self):
        """Whether it writes to workgroup memory."""
        return bool(re.match(r"ds_(store|write)", self.opcode))

    def multiply_adds(self, of_matrices):
        """Multiply-adds of one invocation that it does; of matrices, those of a wave."""
        if of_matrices:
            return int(self.opcode.startswith(MATRIX_MULTIPLY_ADD))
        if not self.opcode.startswith("v_"):
            return 0
        return sum(bool(MULTIPLY_ADD.match(part.strip())) for part in self.text.split("::"))

    def byte_width(self):
        """Bytes that it moves for one lane, in whole registers."""
        words = re.search(r"dwordx(\d)", self.opcode)
        bits = re.search(r"_[bu](\d+)", self.opcode)
        size = 4 * int(words[1]) if words else max(32, int(bits[1])) // 8 if bits else 4
        return 2 * size if re.search(r"(load|read|store|write)_?2", self.opcode) else size

    def waits_for(self):
        """How many loads of each kind it lets be under way, as {kinds: number}."""
        numbers = {name: int(number) for name, number in re.findall(r"(vmcnt|lgkmcnt)\((\d+)\)", self.text)}
        found = {
            ("memory",): numbers.get("vmcnt"),
            ("workgroup memory", "constants"): numbers.get("lgkmcnt"),
        }
        counter = re.match(r"s_wait_(\w+?)cnt imm:(\d+)", self.text)  # of RDNA 4, one for each kind
        if counter:
            kind = {"load": "memory", "ds": "workgroup memory", "km": "constants"}.get(counter[1])
            found[(kind,)] = int(counter[2])
        both = re.match(r"s_wait_loadcnt_dscnt imm:(\d+)", self.text)
        if both:
            found[("memory",)], found[("workgroup memory",)] = int(both[1]) >> 8, int(both[1]) & 63
        return {kinds: number for kinds, number in found.items() if number is not None}


def outermost(ranges):
    """Those that lie in no other, in order."""
    ranges = sorted(ranges)
    return [r for r in ranges if not any(o != r and o[0] <= r[0] and r[1] <= o[1] for o in ranges)]


@dataclass
class Code:
    """A shader's instructions, its loops as (first, behind the last), and what jumps may pass over, in the same way."""

    instructions: list = field(default_factory=list)
    loops: list = field(default_factory=list)
    branches: list = field(default_factory=list)

    @classmethod
    def read(cls, path):
        code, labels = cls(), {}
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.split(";")[0].split("/*")[0].strip()
            text = text.split(" = ", 1)[-1]
            label = LABEL.match(text)
            if label:
                labels[label[1]] = len(code.instructions)
            elif re.match(r"(v|s|ds|buffer|global|flat|scratch)_", text):
                code.instructions.append(Instruction(text.split()[0], text))
        ends = {}
        for place, instruction in enumerate(code.instructions):
            jump = JUMP.match(instruction.text)
            if not jump:
                continue
            target = labels.get(jump[1], len(code.instructions))
            if target <= place:
                ends[target] = max(place + 1, ends.get(target, 0))
            elif "_cbranch" in instruction.opcode:
                code.branches.append((place + 1, target))
        code.loops = sorted(ends.items())
        return code

    def within(self, start, end):
        """The outermost loops that lie inside of a range, which is not one of them."""
        return outermost((a, b) for a, b in self.loops if start <= a and b <= end and (a, b) != (start, end))

    def staging_branches(self, start, end):
        """The outermost branches of a range that stage something, without a loop in them or around them, and do no more."""
        loops = self.within(start, end)

        def stages_alone(branch):
            instructions = self.instructions[slice(*branch)]
            is_apart = all(branch[1] <= a or b <= branch[0] for a, b in loops)
            multiplies = sum(instruction.multiply_adds(kind) for instruction in instructions for kind in (False, True))
            # The norm before a convolution multiplies the quad that it stages.
            return is_apart and any(instruction.stages for instruction in instructions) and multiplies < 32

        return outermost((a, b) for a, b in self.branches if start <= a and b <= end and stages_alone((a, b)))

    def multiply_adds(self, start, end, of_matrices):
        return sum(instruction.multiply_adds(of_matrices) for instruction in self.instructions[start:end])

    def turn(self, of_matrices):
        """The range of the loop over input channels: the smallest that stages its operands and multiplies them."""
        least = 1 if of_matrices else 32

        def is_whole(loop):
            stages = any(instruction.stages for instruction in self.instructions[slice(*loop)])
            return stages and self.multiply_adds(*loop, of_matrices) >= least

        whole = [loop for loop in self.loops if is_whole(loop)]
        if not whole:
            raise ValueError("no loop that stages and multiplies")
        return min(whole, key=lambda loop: loop[1] - loop[0])
