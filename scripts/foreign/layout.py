"""The table of layouts: how a checkpoint is saved, and what is expected of it; and small networks to save."""

from collections import OrderedDict
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

WIDTHS = dict(growth_rate=4, block_config=(2, 2, 2, 2), num_init_features=8, bn_size=2)
FEATURES = 16  # what these widths leave for the classifier


@dataclass
class Layout:
    """How a checkpoint is saved, and what is expected of it."""

    name: str
    write: object  # from a path to the network that it writes there, or to the network and another path
    channels: int = 3
    size: tuple = (64, 64)
    flags: tuple = ()  # what a message must say to give, and is then given
    refused: str = ""  # words of the message, where the network cannot be run as it is
    mend: object = None  # what that message says to do in Python: from the path to that of another file
    is_shifted: bool = False  # whether a number that all logits share is not known
    says: dict = field(default_factory=dict)  # what `inspect --format json` must tell


LAYOUTS = []


def layout(name, **expected):
    """Add a layout to the table."""

    def add(write):
        LAYOUTS.append(Layout(name, write, **expected))
        return write

    return add


def fill(model, seed=1):
    """Give a network weights, and statistics that matter."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not name.endswith(("mean", "std", ".p", "temperature", "threshs")):
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 0
            scale = (2 / fan_in) ** 0.5 if fan_in else 0.2
            drawn = torch.randn(tensor.shape, generator=generator) * scale
            positive = name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight"))
            tensor.copy_(drawn.abs() + 0.6 if positive else drawn)
    return model.eval()


def densenet(classes=5, channels=3, seed=1, **options):
    """Return torchvision's network, small."""
    model = torchvision.models.DenseNet(**WIDTHS | options, num_classes=classes)
    if channels != 3:
        model.features.conv0 = nn.Conv2d(channels, model.features.conv0.out_channels, 7, stride=2, padding=3, bias=False)
    return fill(model, seed)


def prefixed(state, prefix):
    """Return a state dict with something before its names."""
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def pooled(model, x):
    """Return what the classifier reads."""
    return F.relu(model.features(x)).mean((2, 3))
