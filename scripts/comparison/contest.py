"""One network for one size of pictures, and every engine that runs it."""

import array
import random
import sys
from dataclasses import dataclass, replace

from .engine import BASE, PEERS, Ours, Peer
from .process import Failure, say

SEED = 0
BEFORE = "densenet before, f32"


@dataclass
class Contest:
    """One network for one size of pictures, and everyone who runs it."""

    ours: Ours
    before: Ours | None  # an older one
    peers: list[Peer]

    def engines(self):
        """Return them by name, ours first."""
        before = {BEFORE: self.before} if self.before else {}
        return {BASE: self.ours} | before | {peer.name: peer for peer in self.peers}


def write_input(path, size):
    """Write one picture's numbers as a .npy file, [1, 3, size, size] of float32."""
    numbers = random.Random(SEED)
    values = array.array("f", (numbers.gauss(0, 1) for _ in range(3 * size * size)))
    if sys.byteorder == "big":
        values.byteswap()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, {size}, {size}), }}"
    # Magic, version and length take 10 bytes; with the header they end at a multiple of 64.
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    path.write_bytes(
        b"\x93NUMPY\x01\x00"
        + len(header).to_bytes(2, "little")
        + header.encode()
        + values.tobytes()
    )


def prepare(shell, options, folder, arch, size):
    """Write a network for everyone; return it with the engines."""
    folder.mkdir(exist_ok=True)
    write_input(folder / "input.npy", size)
    failed = {}
    for what in ["weights", "onnx", "ncnn"]:
        say(f"export {what} of {arch}, {size}x{size}")
        try:
            shell.run([options.python, PEERS, "export", what, folder, "--arch", arch])
        except Failure as failure:
            failed[what] = failure
    device = ["--device", options.device] if options.device else []
    ours = Ours(shell, options.binary, device, folder, size)
    before = options.before and replace(ours, binary=options.before)
    if "weights" in failed:
        # Nothing to compare with, but ours can still be measured.
        shell.run([ours.binary, "init", "--arch", arch, ours.model])
    engines = [
        ("ncnn, Vulkan", "ncnn", options.python, "ncnn"),
        ("ONNX Runtime, WebGPU", "onnxruntime-webgpu", options.python_webgpu, "onnx"),
        ("ONNX Runtime, CPU", "onnxruntime", options.python, "onnx"),
        ("PyTorch, CPU", "torch", options.python, "weights"),
        ("PyTorch, CPU, channels last", "torch-channels-last", options.python, "weights"),
        ("PyTorch, CPU, compiled", "torch-compiled", options.python, "weights"),
        ("PyTorch, CUDA", "torch-cuda", options.python, "weights"),
        ("PyTorch, CUDA, f16, compiled", "torch-cuda-compiled", options.python, "weights"),
    ]
    peers = [
        Peer(shell, name, engine, python, folder, arch, failed.get("weights") or failed.get(need))
        for name, engine, python, need in engines
    ]
    return Contest(ours, before, peers)
