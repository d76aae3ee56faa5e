"""That the check of the budget fails when it should, and that both kinds of text mean the same machine code.

By hand, on 2026-11-29: an array of 48 quads with a variable index, and three divisions, in the innermost loop of conv_tiled.wgsl
made `scripts/isa.sh --check` name scratch, fewer waves and a smaller multiply-add share, in every family.
"""

import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))

import budget
from machine_code import Code

TILE, POOL, LANES = "conv_tiled 64x64x16x4x4x1", "pool 64", "conv3x3 64x8x8"

# One turn that stages a quad and multiplies 32 times, inside of the loop over a kernel's taps.
LLVM = """BB0:
\ts_mov_b32 s0, s3 ; be800003
BB1:
\ts_barrier ; bf8a0000
BB2:
\tbuffer_load_b128 v[1:4], v0, s[4:7], 0 offen ; e0000000
\ts_waitcnt vmcnt(0) ; bf890000
\tds_store_b128 v5, v[1:4] ; d37c0000
""" + "\tv_fmac_f32_e32 v1, v2, v3 ; 56020702\n" * 32 + """\ts_cbranch_scc1 BB2 ; bfa20000
\ts_cbranch_scc0 BB1 ; bfa10000
\ts_endpgm ; bfb00000
"""
ACO = """Shader disassembly is not supported in the current configuration, falling back to print_program.
BB0
/* logical preds: / linear preds: / kind: uniform, top-level, */
\t s1: %0:s[0] = s_mov_b32 %8:s[3]
BB1
\ts_barrier_wait imm:65535
BB2
\t v4: %1:v[1-4] = buffer_load_dwordx4 %9:s[4-7], %10:v[0], 0 offen
\ts_wait_loadcnt imm:0
\tds_write_b128 %11:v[5], %1:v[1-4]
""" + "\t v1: %2:v[1] = v_fmac_f32 %3:v[2], %4:v[3], %2:v[1]\n" * 32 + """\ts_cbranch_scc1 block:BB2
\ts_cbranch_scc0 block:BB1
\ts_endpgm
"""


def shader(variant, waves, share=None, spills=0, byte_scratch=0):
    cost = None if share is None else SimpleNamespace(share=share)
    return SimpleNamespace(name=variant.split()[0], variant=variant, waves=waves, spills=spills, byte_scratch=byte_scratch, cost=cost)


def family(*shaders, capabilities="subgroup=32..64 f16=yes"):
    return SimpleNamespace(name="navi31", capabilities=capabilities, shaders={shader.variant: shader for shader in shaders})


class Budget(unittest.TestCase):
    def setUp(self):
        before = [family(shader(TILE, 24, share=0.56), shader(POOL, 16), shader(LANES, 9))]
        with tempfile.TemporaryDirectory() as folder:
            budget.write(before, path := Path(folder) / "budget.tsv")
            self.table = budget.read(path)

    def worse(self, *families):
        return list(budget.worse(families, self.table))

    def test_what_is_as_it_was_or_better_passes(self):
        same = family(shader(TILE, 24, share=0.56), shader(POOL, 16), shader(LANES, 9))
        better = family(shader(TILE, 32, share=0.8), shader(POOL, 20), shader(LANES, 1))
        slightly_less = family(shader(TILE, 24, share=0.51), shader(POOL, 16))
        self.assertEqual([self.worse(found) for found in (same, better, slightly_less)], [[], [], []])

    def test_what_is_worse_is_named(self):
        self.assertIn("23 waves, expected at least 24", *self.worse(family(shader(TILE, 23, share=0.56), shader(POOL, 16))))
        self.assertIn("multiply-adds have 0.50", *self.worse(family(shader(TILE, 24, share=0.50), shader(POOL, 16))))
        self.assertIn("pool 64: in the budget, but not compiled", *self.worse(family(shader(TILE, 24, share=0.56))))
        new = shader("linear 64", 16)
        self.assertIn("linear 64: not in the budget", *self.worse(family(shader(TILE, 24, share=0.56), shader(POOL, 16), new)))
        other = family(shader(TILE, 24, share=0.56), shader(POOL, 16), capabilities="subgroup=64..64 f16=yes")
        self.assertIn("can do `subgroup=64..64 f16=yes`", *self.worse(other))
        self.assertIn("this Mesa does not have it", *self.worse())

    def test_spills_and_scratch_are_named_but_for_software(self):
        bad = [shader(TILE, 24, share=0.56, spills=3), shader(POOL, 16, byte_scratch=1024), shader(LANES, 9, byte_scratch=16384)]
        found = list(budget.spilled([family(*bad)]))
        self.assertEqual(len(found), 2)
        self.assertIn("3 registers spilled", found[0])
        self.assertIn("1024 bytes of scratch", found[1])


class MachineCode(unittest.TestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "code.txt"
            path.write_text(text, encoding="utf-8")
            return Code.read(path)

    def test_both_texts_have_the_same_turn(self):
        for text in (LLVM, ACO):
            code = self.read(text)
            self.assertEqual(code.loops, [(1, 39), (2, 38)])
            self.assertEqual(code.turn(of_matrices=False), (2, 38))
            load, wait, store, multiply, *_ = code.instructions[2:]
            self.assertEqual((load.kind, load.byte_width(), store.stages, multiply.multiply_adds(False)), ("memory", 16, True, 1))
            self.assertEqual(wait.waits_for(), {("memory",): 0})

    def test_what_only_some_waves_stage_is_a_branch_of_its_own(self):
        text = LLVM.replace("\tbuffer_load", "\ts_cbranch_execz BB3 ; bfa50000\n\tbuffer_load").replace("\tv_fmac", "BB3:\n\tv_fmac", 1)
        code = self.read(text)
        self.assertEqual(code.staging_branches(*code.turn(of_matrices=False)), [(3, 6)])
        self.assertEqual(self.read(LLVM).staging_branches(2, 38), [])

    def test_a_shader_without_such_a_loop_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no loop that stages and multiplies"):
            self.read("BB0:\n\ts_endpgm\n").turn(of_matrices=False)


if __name__ == "__main__":
    unittest.main()
