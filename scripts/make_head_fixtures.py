"""Write small checkpoints whose heads have other activations than ReLU, or whose modules tell what is behind the features.

    python scripts/make_head_fixtures.py

Writes into tests/fixtures/checkpoints heads.json and heads.zip, as make_wild_fixtures writes wild.json and wild.zip, and into
tests/fixtures nonlinearities.json: what PyTorch's functions, in float64, make of numbers of every size.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

import make_wild_fixtures as wild
from make_wild_fixtures import case, densenet, fill, refused

os.environ.setdefault("KERAS_BACKEND", "torch")

FUNCTIONS = {
    "leakyrelu:0.2": nn.LeakyReLU(0.2),
    "leakyrelu:-1.5": nn.LeakyReLU(-1.5),
    "sigmoid": nn.Sigmoid(),
    "silu": nn.SiLU(),
    "tanh": nn.Tanh(),
    "gelu": nn.GELU(),
    "gelu-tanh": nn.GELU(approximate="tanh"),
}


class Wrapped(nn.Module):
    """A DenseNet's features with what else the case gives it, of a class of its own."""

    def __init__(self, **modules):
        """Take the modules."""
        super().__init__()
        self.features = densenet().features
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        """Return what the module `head` makes of the means."""
        return self.head(torch.relu(self.features(x)).mean(dim=(2, 3)))


def activations():
    """Write heads with every activation."""
    layers, words, width = [], [], 8
    for word, function in FUNCTIONS.items():
        if word != "leakyrelu:-1.5":
            layers += [nn.Linear(width, 6), function]
            words += ["linear", word]
            width = 6
    layers.insert(4, nn.BatchNorm1d(6))
    words.insert(4, "batchnorm")
    model = densenet()
    model.classifier = nn.Sequential(*layers, nn.Linear(width, 5))
    fill(model, 81)
    case("activations.pt", model, model, 81)
    case("activations.pth", model.state_dict(), model, 81, head_layers=",".join([*words, "linear"]))
    own = type("GELU", (nn.Module,), {"forward": lambda self, x: x, "__module__": "wild"})
    wild.GELU = own
    model = densenet()
    model.classifier = nn.Sequential(nn.Linear(8, 6), own(), nn.Linear(6, 5))
    refused("own-gelu.pt", fill(model, 82), "module classifier.1", "found GELU")


def behind():
    """Write features and what is behind them, one after the other, saved whole."""
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    relu = nn.Sequential(densenet().features, nn.ReLU(), *pool, nn.Linear(8, 5))
    case("row-relu.pt", fill(relu, 83), relu, 83)
    none = nn.Sequential(densenet().features, *pool, nn.Dropout(), nn.Linear(8, 5))
    case("row-none.pt", fill(none, 84), none, 84)
    later = nn.Sequential(densenet().features, *pool, nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 5))
    case("row-later.pt", fill(later, 85), later, 85)
    flat = nn.Sequential(*densenet().features.children(), nn.ReLU(), *pool, nn.Linear(8, 6), nn.SiLU(), nn.Linear(6, 5))
    case("row-flat.pt", fill(flat, 86), flat, 86)
    case("row-flat.pth", flat.state_dict(), flat, 86, assumed=["final_relu"], head_layers="linear,silu,linear")
    maps = nn.Sequential(densenet().features, nn.ReLU())
    pooled = nn.Sequential(fill(maps, 90), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    case("row-maps.pt", maps, pooled, 90)
    most = nn.Sequential(densenet().features, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    refused("row-most.pt", fill(most, 87), "module 2", "found AdaptiveMaxPool2d", "`head_layers`")


def inside():
    """Write whole modules with more than a DenseNet in them."""
    decoder = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 3, padding=1), nn.Softsign())
    other = nn.Sequential(nn.Linear(8, 4), nn.Softsign(), nn.Linear(4, 2))
    model = fill(Wrapped(decoder=decoder, other=other, head=nn.Sequential(nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 5))), 88)
    case("whole.pt", model, model, 88, note="decoder", assumed=["final_relu"], head="head")
    pooled = nn.Sequential(model.features, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    case("whole.pt", None, pooled, 88, note="decoder", assumed=["final_relu"], features_only=True)
    refused("whole.pt", None, "module other.1", "found Softsign", head="other")
    refused("whole.pt", None, "2 layers that read the features", "`head`")
    held = nn.Module()
    held.encoder, held.gate = fill(densenet(), 89), nn.Softsign()
    case("held.pt", held, held.encoder, 89, root="encoder")


def keras_heads():
    """Write models of Keras whose heads have every activation."""
    import keras
    from keras import layers
    from make_checkpoint_fixtures import config, keras_fill, keras_logits, keras_model

    c = config(2, (2, 2), 4, None, epsilon=1.001e-5)

    def build(dtype):
        base = keras_model(c, wild.SIZE, dtype=dtype, top=False)
        keras.config.set_dtype_policy(dtype)
        picture = layers.Input((*wild.SIZE[1:], 3), name="picture")
        x = layers.GlobalAveragePooling2D(name="pool")(base(picture))
        for index, activation in enumerate(("gelu", "silu", "tanh", "leaky_relu", "sigmoid", None)):
            x = layers.Dense(6, activation=activation, name=f"dense{index}")(x)
        x = layers.LeakyReLU(negative_slope=0.3, name="leaky")(x)
        x = layers.Dense(5, name="classes")(x)
        keras.config.set_dtype_policy("float32")
        return keras.Model(picture, x, name="model")

    model = build("float32")
    keras_fill(model, 91)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        wild.FILES["keras-activations.keras"] = wild.renewed((Path(folder) / "model.keras").read_bytes())
    expected = keras_logits(model, build("float64"), config(2, (2, 2), 4, 5), 91, wild.SIZE)
    rows = [[float(f"{value:.9g}") for value in row] for row in expected.tolist()]
    batch, height, width = wild.SIZE
    wild.CASES.append(
        dict(
            file="keras-activations.keras", seed=91, batch=batch, channels=3, height=height, width=width,
            options={}, note="", what="logits", expected=rows,
        )
    )  # fmt: skip


def nonlinearities():
    """Write what each function makes of numbers of every size."""
    sizes = np.concatenate([10.0 ** np.arange(-30, 31, 3), np.linspace(0.05, 12, 120), [13.5, 17, 20, 30, 88, 89, 104, 710]])
    x = torch.tensor(np.concatenate([-sizes[::-1], [0.0], sizes]).astype(np.float32)).double()
    number = lambda value: float(f"{value:.9g}")
    results = {word: [number(y) for y in function(x).tolist()] for word, function in FUNCTIONS.items()}
    rows = [f'"x": {json.dumps(x.tolist())}', *(f"{json.dumps(word)}: {json.dumps(row)}" for word, row in results.items())]
    (wild.OUTPUT.parent / "nonlinearities.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


def main():
    """Write all of them."""
    # Classes of this script are named as if they were those of the other.
    sys.modules["wild"] = wild
    Wrapped.__module__ = "wild"
    wild.Wrapped = Wrapped
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for make in (activations, behind, inside, keras_heads):
        make()
    nonlinearities()
    wild.write("heads")


if __name__ == "__main__":
    main()
