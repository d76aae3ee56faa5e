"""Write what PyTorch computes for DenseNets with generated weights.

    python scripts/make_fixtures.py

Writes into tests/fixtures/torchvision:

    cases.json         the cases: configuration, seed, input size
    <case>.npy         the logits of a case, float32 [batch, classes]
    odd-layers.npz     what single modules of the case `odd` return, float32
    <case>-maps.npz    class activation maps [batch, classes, h, w] and pooled features, float32

Weights and inputs are generated from a seed by a formula (fixtures/generated.py) which
the tests repeat bit for bit, so no weights need to be stored.
"""

import json

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision

from fixtures import FIXTURES
from fixtures.configuration import config
from fixtures.generated import fill, generate
from fixtures.listing import versions
from fixtures.networks import build

OUTPUT = FIXTURES / "torchvision"

# In this order cases.json has a configuration; it has no epsilon.
CONFIGURATION = (
    "stem",
    "in_channels",
    "growth_rate",
    "block_config",
    "num_init_features",
    "bn_size",
    "compression",
    "final_relu",
    "num_classes",
    "widths",
    "blur",
)

# PyTorch's own float32 must agree with its float64 this well, relative to the
# largest logit.
TOLERANCE = 2e-6

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


def prepare(c, seed, batch, height, width):
    """Return a network with generated weights and its generated input."""
    return fill(build(c), seed), generate("input", (batch, c["in_channels"], height, width), seed)


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


def listed(c):
    """Return a configuration as cases.json has it."""
    return {key: c[key] for key in CONFIGURATION if key in c}


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
        **versions((torch, torchvision, timm, np)),
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
        "cases": [dict(zip(keys, case)) | {"config": listed(case[1])} for case in CASES],
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
