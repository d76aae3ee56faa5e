"""Uses a classifier, then uses it in child processes that begin by the given method, and then again."""

import multiprocessing
import sys
import warnings

import densenet_wgpu as dn
import numpy as np

# Python 3.12 warns of a fork beside threads, which is what is tried here.
warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
warnings.simplefilter("ignore", dn.DensenetWarning)
PICTURES = ["examples/digits/7-1442-8.png", "examples/digits/0-1445-8.png"]


def outputs(net):
    return net.logits(PICTURES).tobytes() + net.embed(PICTURES).tobytes()


def child(net, answers):
    answers.put(outputs(net))
    net.close()


def main(method, device):
    net = dn.Classifier("digits", device=device)
    expected = outputs(net)
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    children = [context.Process(target=child, args=(net, answers)) for _ in range(2)]
    for one in children:
        one.start()
    found = [answers.get(timeout=60) for _ in children]
    for one in children:
        one.join(60)
    assert [one.exitcode for one in children] == [0, 0], [one.exitcode for one in children]
    assert found == [expected] * 2, np.frombuffer(found[0], np.float32)
    assert outputs(net) == expected
    print("the same in 2 children, and here again")


if __name__ == "__main__":
    main(*sys.argv[1:])
