"""That both kinds of text mean the same turn of a convolution, and that a kernel that spills is an objection."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from intel import Platform, Turn
from model import Step

TILE = "conv_tiled 64x64x16x4x4x1"
MULTIPLY_ADDS = "mad(8)          g86<1>F         g15<8,8,1>F     g7<8,8,1>F      g122<1,1,1>F { align1 1Q };\n"
# A loop over channels around one over their depth, inside of the loop over a kernel's taps.
GEN = (
    "LABEL2:\nLABEL1:\n"
    "add(8)          g123<1>D        g85<8,8,1>D     4096D           { align1 1Q @3 };\n"
    "sync nop(1)                     null<0,1,0>UB                   { align1 WE_all 1N @2 };\n"
    "                            gateway MsgDesc: (barrier msg)  mlen 1 ex_mlen 0 rlen 0 { align1 WE_all 1Q @1 $3 };\n"
    "LABEL0:\n"
    "send(8)         g7UD            g84UD           nullUD          0x024060fe                0x00000000\n"
    "      dp data 1 MsgDesc: (untyped surface read, Surface = 254, SIMD8, Mask = 0x0)  mlen 1 ex_mlen 0 rlen 4 { align1 1Q };\n"
    "mov(8)          g1<1>D          g2<8,8,1>D                      { align1 1Q };\n" + MULTIPLY_ADDS * 32 + ""
    "while(8)        JIP:  LABEL0                                    { align1 1Q };\n"
    "(+f0.0) while(8) JIP:  LABEL1                                   { align1 1Q };\n"
    "while(8)        JIP:  LABEL2                                    { align1 1Q };\n"
)
XE = GEN.replace(
    "dp data 1 MsgDesc: (untyped surface read, Surface = 254, SIMD8, Mask = 0x0)  mlen 1 ex_mlen 0 rlen 4",
    "slm MsgDesc: ( load, a32, d32, V4, L1STATE_L3MOCS dst_len = 4, src0_len = 1, src1_len = 0 flat )",
)


class TurnTest(unittest.TestCase):
    def test_both_kinds_of_text_mean_the_same(self):
        self.assertNotEqual(GEN, XE)
        for text in (GEN, XE):
            turn = Turn(text.splitlines(), TILE)
            # 4 x 4 sums and 16 channels are 256 multiply-adds: eight turns of the inner loop, which has a while, a mov and a load.
            self.assertEqual(turn.counts["multiply-add"], 256)
            self.assertEqual(turn.counts["word"], 8 * 4)
            self.assertEqual(turn.counts["other"], 1 + 1 + 8 * 2)
            self.assertEqual(turn.workgroup_memory, 128)

    def test_text_without_such_a_loop_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no loop"):
            Turn(GEN.replace("barrier", "open").splitlines(), TILE)


class SpillTest(unittest.TestCase):
    def platform(self, spills, steps):
        statistics = f"Subgroup size=8\tInstruction Count=99\tSpill Count={spills}\tFill Count=0\tMax live registers=90"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tgl").mkdir()
            (Path(folder) / "tgl/000.txt").write_text(GEN, encoding="utf-8")
            path = Path(folder) / "tgl.tsv"
            path.write_text(f"device\tIris\tIntel Mesa 25.0.7\tf16=yes\n000.spv\t{TILE}\t1.5\t{statistics}\n", encoding="utf-8")
            return Platform(path, [steps, []])

    def test_a_kernel_that_spills_is_an_objection_where_the_rule_gives_it(self):
        step = Step(batch=1, flops=9, bytes=9, workgroups=1, taps=1, channels=16, variant=TILE)
        self.assertEqual(list(self.platform(0, [step]).spilled()), [])
        self.assertEqual(list(self.platform(1, []).spilled()), [])
        self.assertRegex(next(self.platform(1, [step]).spilled()), "1 registers spilled")

    def test_the_bound_is_that_of_most_operations(self):
        steps = [Step(1, flops, 9, 1, 1, 16, TILE) for flops in (70, 30)]
        self.assertEqual(self.platform(0, steps).bound(1), 256 / (256 + 18))


if __name__ == "__main__":
    unittest.main()
