"""Classifies without end until it is interrupted, and then once more."""

import itertools
import warnings

import densenet_wgpu as dn

warnings.simplefilter("ignore", dn.DensenetWarning)
PICTURE = "examples/digits/7-1442-8.png"


def pictures():
    for count in itertools.count():
        if count == 100:
            print("running", flush=True)
        yield PICTURE


net = dn.Classifier("digits")
try:
    net.classify(pictures())
except KeyboardInterrupt:
    print("interrupted")
print(net.classify(PICTURE, top_k=1)[0][0].label)
