"""Write what PyTorch computes for DenseNets with generated weights.

    python scripts/make_fixtures.py

Writes into tests/fixtures/torchvision:

    cases.json         the cases: configuration, seed, input size
    <case>.npy         the logits of a case, float32 [batch, classes]
    odd-layers.npz     what single modules of the case `odd` return, float32
    <case>-maps.npz    class activation maps [batch, classes, h, w] and pooled features, float32

Weights and inputs are generated from a seed by a formula (see `generate`) which
the tests repeat bit for bit, so no weights need to be stored.
"""

import json
import math
from collections import OrderedDict
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests" / "fixtures" / "torchvision"

# PyTorch's own float32 must agree with its float64 this well, relative to the
# largest logit.
TOLERANCE = 2e-6

# Architectures. `stem` is `imagenet` (7x7 convolution with stride 2, norm, relu,
# max pool), `cifar` (3x3 convolution alone) or timm's `deep` (three 3x3 convolutions;
# `widths` are the channels of the first two, `blur` tells whether a blur pool follows
# the max pool). `bn_size` null means no bottleneck; `final_relu` is the one after norm5.


def config(growth_rate, block_config, num_init_features, num_classes, **others):
    """Return a configuration, torchvision's defaults filled in."""
    return {
        "stem": "imagenet",
        "in_channels": 3,
        "growth_rate": growth_rate,
        "block_config": list(block_config),
        "num_init_features": num_init_features,
        "bn_size": 4,
        "compression": 0.5,
        "final_relu": True,
        "num_classes": num_classes,
    } | others


DENSENET121 = config(32, (6, 12, 24, 16), 64, 1000)
DENSENET161 = config(48, (6, 12, 36, 24), 96, 1000)
DENSENET169 = config(32, (6, 12, 32, 32), 64, 1000)
DENSENET201 = config(32, (6, 12, 48, 32), 64, 1000)
ODD = config(5, (2, 3, 1), 7, 11, bn_size=3)
GREY = config(8, (2, 2), 8, 4, in_channels=1)
CIFAR_BC = config(12, (4, 4, 4), 24, 10, stem="cifar")
CIFAR_PLAIN = config(12, (3, 3, 3), 16, 10, stem="cifar", bn_size=None, compression=1.0)
NORM_LAST = config(6, (2, 3), 9, 5, final_relu=False)
DEEP = config(6, (2, 3), 12, 9, stem="deep", widths=[6, 6], blur=False)
DEEP_BLUR = config(5, (2, 3, 1), 10, 7, stem="deep", widths=[5, 5], blur=True, bn_size=3)

# Name, configuration, seed, batch, height, width.
CASES = [
    ("densenet121", DENSENET121, 1, 1, 224, 224),
    ("densenet121-batch", DENSENET121, 2, 3, 97, 131),
    ("densenet161", DENSENET161, 3, 1, 97, 131),
    ("densenet169", DENSENET169, 4, 2, 64, 96),
    ("densenet201", DENSENET201, 5, 1, 97, 131),
    ("odd", ODD, 6, 3, 41, 67),
    ("cifar-bc", CIFAR_BC, 7, 3, 32, 32),
    ("cifar-plain", CIFAR_PLAIN, 8, 2, 32, 32),
    ("cifar-plain-odd", CIFAR_PLAIN, 9, 2, 37, 29),
    ("grey", GREY, 10, 2, 45, 33),
    ("deep", DEEP, 11, 3, 43, 57),
    ("deep-blur", DEEP_BLUR, 12, 3, 47, 61),
    ("norm-last", NORM_LAST, 13, 2, 38, 51),
]

# The single modules of `odd`: same seed and size, batch 2.
LAYERS_CASE, LAYERS_BATCH = "odd", 2
LAYERS = [
    "features.conv0",
    "features.norm0",
    "features.relu0",
    "features.pool0",
    "features.denseblock1.denselayer1.norm1",
    "features.denseblock1.denselayer1.relu1",
    "features.denseblock1.denselayer1.conv1",
    "features.denseblock1.denselayer1.norm2",
    "features.denseblock1.denselayer1.relu2",
    "features.denseblock1.denselayer1.conv2",
    "features.denseblock1.denselayer2",
    "features.denseblock1",
    "features.transition1.norm",
    "features.transition1.relu",
    "features.transition1.conv",
    "features.transition1.pool",
    "features.transition1",
    "features.norm5",
    "features",
    "classifier",
]

# The cases whose class activation maps and features are kept.
MAPS_CASES = ["odd", "grey", "cifar-bc", "deep-blur", "norm-last", "densenet169"]


# Generated numbers


def fnv1a64(text):
    """Return the 64-bit FNV-1a hash of a name."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def splitmix64(z):
    """Return the splitmix64 hash of every element of a uint64 array."""
    # numpy's uint64 arrays wrap around, as the formula wants.
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(name, seed, count):
    """Return `count` float64 numbers in [0, 1) for a tensor's name and a seed."""
    start = np.uint64(fnv1a64(name) ^ seed)
    bits = splitmix64(start + np.arange(count, dtype=np.uint64))
    return (bits >> np.uint64(40)).astype(np.float64) * 2.0**-24


def generate(name, shape, seed):
    """Return the float32 tensor of that name and shape: all in float64, then rounded."""
    u = uniform(name, seed, math.prod(shape))
    kind = name.rsplit(".", 1)[-1]
    if name == "input":
        values = 4 * (u - 0.5)
    elif kind == "running_var":
        values = 0.5 + u
    elif kind in ("running_mean", "bias"):  # the biases of norms and of the classifier
        values = 0.2 * (u - 0.5)
    elif kind == "weight" and len(shape) == 4:  # a convolution
        fan_in = shape[1] * shape[2] * shape[3]
        values = (2 * u - 1) * math.sqrt(6 / fan_in)
    elif kind == "weight" and len(shape) == 2:  # the classifier
        values = (2 * u - 1) * math.sqrt(3 / shape[1])
    elif kind == "weight" and len(shape) == 1:  # a norm
        values = 0.5 + u
    else:
        raise ValueError(f"no rule for {name} {shape}")
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def fill(model, seed):
    """Replace the weights of a network by generated ones."""
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(generate(name, tuple(tensor.shape), seed))


# Networks


class PlainLayer(nn.Module):
    """A dense layer without a bottleneck: norm, relu, 3x3 convolution."""

    def __init__(self, channels, growth_rate):
        """Make a layer that adds `growth_rate` channels to `channels`."""
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, growth_rate, 3, padding=1, bias=False)

    def forward(self, x):
        """Return the new channels."""
        return self.conv1(self.relu1(self.norm1(x)))


class BottleneckLayer(nn.Module):
    """A dense layer with a bottleneck: norm, relu, 1x1 and norm, relu, 3x3."""

    def __init__(self, channels, growth_rate, bn_size):
        """Make a layer that adds `growth_rate` channels to `channels`."""
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)

    def forward(self, x):
        """Return the new channels."""
        x = self.conv1(self.relu1(self.norm1(x)))
        return self.conv2(self.relu2(self.norm2(x)))


class DenseBlock(nn.Module):
    """Dense layers, each of which sees the channels of all those before it."""

    def __init__(self, layers):
        """Make a block of the given layers, named as torchvision names them."""
        super().__init__()
        for number, layer in enumerate(layers, start=1):
            self.add_module(f"denselayer{number}", layer)

    def forward(self, x):
        """Return the input's channels followed by those of every layer."""
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class CifarDenseNet(nn.Module):
    """The paper's DenseNet for CIFAR, its modules named as torchvision names them."""

    def __init__(self, c):
        """Make the network of a configuration."""
        super().__init__()
        growth_rate, channels = c["growth_rate"], c["num_init_features"]
        conv0 = nn.Conv2d(c["in_channels"], channels, 3, padding=1, bias=False)
        self.features = nn.Sequential(OrderedDict(conv0=conv0))
        for number, count in enumerate(c["block_config"], start=1):
            layers = []
            for _ in range(count):
                if c["bn_size"] is None:
                    layers.append(PlainLayer(channels, growth_rate))
                else:
                    layers.append(BottleneckLayer(channels, growth_rate, c["bn_size"]))
                channels += growth_rate
            self.features.add_module(f"denseblock{number}", DenseBlock(layers))
            if number < len(c["block_config"]):
                kept = math.floor(channels * c["compression"])
                transition = OrderedDict(
                    norm=nn.BatchNorm2d(channels),
                    relu=nn.ReLU(),
                    conv=nn.Conv2d(channels, kept, 1, bias=False),
                    pool=nn.AvgPool2d(2),
                )
                self.features.add_module(f"transition{number}", nn.Sequential(transition))
                channels = kept
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, c["num_classes"])

    def forward(self, x):
        """Return the logits."""
        x = F.relu(self.features(x))
        return self.classifier(x.mean(dim=(2, 3)))


class NormLastDenseNet(torchvision.models.DenseNet):
    """torchvision's DenseNet without the ReLU after norm5."""

    def forward(self, x):
        """Return the logits."""
        return self.classifier(self.features(x).mean(dim=(2, 3)))


def build(c):
    """Return the network of a configuration."""
    assert c["final_relu"] or c["stem"] == "imagenet"
    if c["stem"] == "cifar":
        return CifarDenseNet(c)
    # torchvision and timm always halve the channels and always have a bottleneck.
    assert c["compression"] == 0.5 and c["bn_size"] is not None
    if c["stem"] == "deep":
        # timm derives the stem's channels from the growth rate.
        growth_rate = c["growth_rate"]
        assert c["num_init_features"] == 2 * growth_rate and c["widths"] == [growth_rate] * 2
        return timm.models.densenet.DenseNet(
            growth_rate=growth_rate,
            block_config=c["block_config"],
            num_classes=c["num_classes"],
            in_chans=c["in_channels"],
            bn_size=c["bn_size"],
            stem_type="deep",
            aa_layer=timm.layers.BlurPool2d if c["blur"] else None,
        )
    densenet = torchvision.models.DenseNet if c["final_relu"] else NormLastDenseNet
    model = densenet(
        growth_rate=c["growth_rate"],
        block_config=c["block_config"],
        num_init_features=c["num_init_features"],
        bn_size=c["bn_size"],
        num_classes=c["num_classes"],
    )
    if c["in_channels"] != 3:
        model.features.conv0 = nn.Conv2d(
            c["in_channels"], c["num_init_features"], 7, stride=2, padding=3, bias=False
        )
    return model


def prepare(c, seed, batch, height, width):
    """Return a network with generated weights and its generated input."""
    model = build(c).eval()
    fill(model, seed)
    return model, generate("input", (batch, c["in_channels"], height, width), seed)


# Expected values


def make_logits(name, c, seed, batch, height, width):
    """Write the logits of one case, computed in float64; compare with float32."""
    model, inputs = prepare(c, seed, batch, height, width)
    single = model(inputs)
    double = model.double()(inputs.double())
    difference = ((single - double).abs().max() / double.abs().max()).item()
    print(f"{name}: float32 differs from float64 by {difference:.1e}", flush=True)
    assert difference <= TOLERANCE
    np.save(OUTPUT / f"{name}.npy", double.float().numpy())


def make_layers(c, seed, height, width):
    """Write what single modules return, computed in float64."""
    model, inputs = prepare(c, seed, LAYERS_BATCH, height, width)
    outputs = {}

    def keep(name):
        def hook(module, arguments, output):
            # torchvision's ReLUs work in place: without the copy, a norm's
            # output would be overwritten by the ReLU after it.
            outputs[name] = output.clone().float().numpy()

        return hook

    for name in LAYERS:
        model.get_submodule(name).register_forward_hook(keep(name))
    model.double()(inputs.double())
    assert list(sorted(outputs)) == sorted(LAYERS)
    np.savez_compressed(OUTPUT / f"{LAYERS_CASE}-layers.npz", **outputs)


def make_maps(name, c, seed, batch, height, width):
    """Write the class activation maps and pooled features of one case, computed in float64."""
    model, inputs = prepare(c, seed, batch, height, width)
    model, inputs = model.double(), inputs.double()
    # timm's features have their last ReLU inside; another one changes nothing.
    x = model.features(inputs)
    x = F.relu(x) if c["final_relu"] else x
    maps = torch.einsum("ck,nkhw->nchw", model.classifier.weight, x)
    features = F.adaptive_avg_pool2d(x, 1).flatten(1)
    logits = maps.mean(dim=(2, 3)) + model.classifier.bias
    assert torch.allclose(logits, model(inputs), rtol=1e-10, atol=1e-10)
    arrays = {"maps": maps.float().numpy(), "features": features.float().numpy()}
    np.savez_compressed(OUTPUT / f"{name}-maps.npz", **arrays)


def sample(name, shape, seed):
    """Return the first generated values of a tensor, for a test of the formula alone."""
    values = generate(name, shape, seed).flatten()[:4]
    return {"name": name, "shape": shape, "seed": seed, "first": values.tolist()}


def main():
    """Write all files."""
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    OUTPUT.mkdir(parents=True, exist_ok=True)

    for case in CASES:
        make_logits(*case)
    [layers_case] = [case for case in CASES if case[0] == LAYERS_CASE]
    _, c, seed, _, height, width = layers_case
    make_layers(c, seed, height, width)
    for case in CASES:
        if case[0] in MAPS_CASES:
            make_maps(*case)

    keys = ("name", "config", "seed", "batch", "height", "width")
    listing = {
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
        "timm": timm.__version__,
        "numpy": np.__version__,
        "samples": [
            sample("input", [2, 3, 41, 67], 6),
            sample("features.conv0.weight", [7, 3, 7, 7], 6),
            sample("features.norm0.weight", [7], 6),
            sample("features.norm0.bias", [7], 6),
            sample("features.norm0.running_mean", [7], 6),
            sample("features.norm0.running_var", [7], 6),
            sample("classifier.weight", [11, 12], 6),
            sample("classifier.bias", [11], 6),
        ],
        "cases": [dict(zip(keys, case)) for case in CASES],
        "layers": {
            "case": LAYERS_CASE,
            "file": f"{LAYERS_CASE}-layers.npz",
            "batch": LAYERS_BATCH,
            "height": height,
            "width": width,
        },
        "maps": MAPS_CASES,
    }
    (OUTPUT / "cases.json").write_text(json.dumps(listing, indent=2) + "\n")


if __name__ == "__main__":
    main()
