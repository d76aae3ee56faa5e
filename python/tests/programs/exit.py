"""Ends while other threads classify."""

import threading
import warnings

import densenet_wgpu as dn

warnings.simplefilter("ignore", dn.DensenetWarning)
PICTURE = "examples/digits/7-1442-8.png"


def run(net, running):
    try:
        while True:
            net.classify([PICTURE] * 64)
            running.set()
    except dn.ClosedError:
        pass


def main():
    net, once = dn.Classifier("digits"), threading.Event()
    for _ in range(3):
        threading.Thread(target=run, args=(net, once), daemon=True).start()
    once.wait()
    print("ended")


main()
