"""Forks twice with a classifier in use; every process ends as Python ends, without `os._exit`."""

import os
import sys
import warnings

import densenet_wgpu as dn

PICTURE = "examples/digits/7-1442-8.png"

# Python 3.12 warns of a fork beside threads, which is what is tried here.
warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
warnings.simplefilter("ignore", dn.DensenetWarning)
net = dn.Classifier("digits", device="cpu")
expected = net.logits([PICTURE] * 2).tobytes()
for generation in ("child", "grandchild"):
    process = os.fork()
    if process != 0:
        _, status = os.waitpid(process, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    assert net.logits([PICTURE] * 2).tobytes() == expected, generation
print("the same in a grandchild, which ended")
