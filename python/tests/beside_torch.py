"""Beside torch, in one process: run by scripts/acceptance.sh, in an environment that has it."""

import subprocess
import sys

import densenet_wgpu as dn
import numpy as np
import pytest
import torch
from conftest import ROOT, SECONDS
from torch.utils.data import DataLoader, Dataset

MULTIPLY = "product = torch.ones(64, 64) @ torch.ones(64, 64)"
CLASSIFY = "found = densenet_wgpu.Classifier('digits').classify('examples/digits/7-1442-8.png')[0][0].label"


@pytest.mark.parametrize("order", [("torch", "densenet_wgpu"), ("densenet_wgpu", "torch")])
def test_both_compute_whichever_comes_first(order):
    steps = [f"import {order[0]}", f"import {order[1]}", MULTIPLY, CLASSIFY, MULTIPLY, "print(found, int(product[0, 0]))"]
    command = [sys.executable, "-W", "ignore", "-c", "\n".join(steps)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT)
    assert (finished.returncode, finished.stdout) == (0, "7 64\n"), finished.stderr


def test_tensors_are_inputs(net, tensors):
    expected = net.logits(tensors)
    several = torch.from_numpy(tensors)
    assert np.array_equal(net.logits(several), expected)
    assert np.array_equal(net.logits(list(several)), expected)
    assert np.array_equal(net.logits(several.contiguous(memory_format=torch.channels_last)), expected)
    assert torch.equal(torch.from_dlpack(net.logits(several)), torch.from_numpy(expected))
    with pytest.raises(dn.InputError, match="numpy can read, found torch.Tensor .*requires grad"):
        net.logits(several.clone().requires_grad_())
    with pytest.raises(dn.InputError, match="found float64"):
        net.logits(several.double())


class Digits(Dataset):
    """Logits, which each worker computes."""

    def __init__(self, net, paths):
        self.net, self.paths = net, paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return torch.from_dlpack(self.net.logits(self.paths[index])[0])


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_a_loader_have_their_own(net, paths, method):
    loader = DataLoader(Digits(net, paths[:6]), batch_size=2, num_workers=2, multiprocessing_context=method, timeout=SECONDS)
    found = torch.cat(list(loader)).numpy()
    assert np.array_equal(found, np.concatenate([net.logits(path) for path in paths[:6]]))
