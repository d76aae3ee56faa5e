"""Networks of CIFAR's repositories, written from their structure."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from .layout import fill, layout

SIZE = (32, 32)
GROWTH = 4


class Layer(nn.Module):
    """A dense layer with a bottleneck or without; its new channels come first or last."""

    def __init__(self, channels, bottleneck=True, first=False):
        super().__init__()
        width = 4 * GROWTH if bottleneck else GROWTH
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, 1 if bottleneck else 3, padding=0 if bottleneck else 1, bias=False)
        if bottleneck:
            self.bn2, self.conv2 = nn.BatchNorm2d(width), nn.Conv2d(width, GROWTH, 3, padding=1, bias=False)
        self.bottleneck, self.first = bottleneck, first

    def forward(self, x):
        new = self.conv1(F.relu(self.bn1(x)))
        new = self.conv2(F.relu(self.bn2(new))) if self.bottleneck else new
        return torch.cat([new, x] if self.first else [x, new], 1)


class Transition(nn.Module):
    """Norm, ReLU, 1x1 convolution and mean pool, under names that are given."""

    def __init__(self, channels, kept, norm, conv):
        super().__init__()
        self.names = norm, conv
        self.add_module(norm, nn.BatchNorm2d(channels))
        self.add_module(conv, nn.Conv2d(channels, kept, 1, bias=False))

    def forward(self, x):
        norm, conv = map(self.get_submodule, self.names)
        return F.avg_pool2d(conv(F.relu(norm(x))), 2)


class Block(nn.Module):
    """Dense layers under the name `layer`."""

    def __init__(self, layers):
        super().__init__()
        self.layer = nn.Sequential(*layers)

    def forward(self, x):
        return self.layer(x)


class Repository(nn.Module):
    """A network of one of them."""

    def __init__(self, blocks, names, transition, last, head, classes=10, stem=8, compression=0.5, nested=False, **layer):
        super().__init__()
        self.stages, self.last, self.linear_name = [], last, head
        channels = stem
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        for number, count in enumerate(blocks, start=1):
            layers = [Layer(channels + GROWTH * index, **layer) for index in range(count)]
            channels += GROWTH * count
            self.add_module(f"{names}{number}", Block(layers) if nested else nn.Sequential(*layers))
            self.stages.append(f"{names}{number}")
            if number < len(blocks):
                kept = int(channels * compression)
                self.add_module(f"trans{number}", Transition(channels, kept, *transition))
                self.stages.append(f"trans{number}")
                channels = kept
        self.add_module(last, nn.BatchNorm2d(channels))
        self.add_module(head, nn.Linear(channels, classes))

    def forward(self, x):
        x = self.conv1(x)
        for name in self.stages:
            x = self.get_submodule(name)(x)
        x = F.relu(self.get_submodule(self.last)(x)).mean((2, 3))
        return self.get_submodule(self.linear_name)(x)


@layout("kuangliu: four blocks, DataParallel, net, acc and epoch", size=SIZE)
def kuangliu(path):
    model = fill(Repository((2, 3, 2, 2), "dense", ("bn", "conv"), "bn", "linear", first=True), 70)
    torch.save({"net": nn.DataParallel(model).state_dict(), "acc": 95.04, "epoch": 199}, path)
    return model


@layout("kuangliu: 100 classes, pickled whole", size=SIZE)
def kuangliu_whole(path):
    model = fill(Repository((1, 2, 1, 2), "dense", ("bn", "conv"), "bn", "linear", classes=100, first=True), 71)
    torch.save(model, path)
    return model


@layout("bamos: three blocks without bottlenecks, pickled whole", size=SIZE)
def bamos(path):
    model = fill(Repository((3, 2, 4), "dense", ("bn1", "conv1"), "bn1", "fc", bottleneck=False), 72)
    torch.save(model, path)
    return model


@layout("andreasveit: three blocks without bottlenecks, no compression", size=SIZE)
def andreasveit(path):
    options = dict(bottleneck=False, nested=True, compression=1.0)
    model = fill(Repository((2, 2, 3), "block", ("bn1", "conv1"), "bn1", "fc", **options), 73)
    torch.save({"epoch": 300, "state_dict": model.state_dict(), "best_prec1": torch.tensor(94.1)}, path)
    return model


class Bottleneck(nn.Module):
    """weiaicunzai's dense layer."""

    def __init__(self, channels):
        super().__init__()
        self.bottle_neck = nn.Sequential(
            nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.Conv2d(channels, 4 * GROWTH, 1, bias=False),
            nn.BatchNorm2d(4 * GROWTH), nn.ReLU(inplace=True), nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False),
        )  # fmt: skip

    def forward(self, x):
        return torch.cat([x, self.bottle_neck(x)], 1)


class DownSample(nn.Module):
    """weiaicunzai's transition, without a ReLU."""

    def __init__(self, channels, kept):
        super().__init__()
        self.down_sample = nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, kept, 1, bias=False), nn.AvgPool2d(2, stride=2))

    def forward(self, x):
        return self.down_sample(x)


@layout("weiaicunzai: four blocks, 100 classes", size=SIZE)
def weiaicunzai(path):
    channels, features, blocks = 8, OrderedDict(), (2, 3, 2, 2)
    for index, count in enumerate(blocks):
        is_last = index == len(blocks) - 1
        layers = OrderedDict((f"bottle_neck_layer_{i}", Bottleneck(channels + GROWTH * i)) for i in range(count))
        features[f"dense_block{index}" if is_last else f"dense_block_layer_{index}"] = nn.Sequential(layers)
        channels += GROWTH * count
        if not is_last:
            features[f"transition_layer_{index}"] = DownSample(channels, channels // 2)
            channels //= 2
    features |= dict(bn=nn.BatchNorm2d(channels), relu=nn.ReLU(inplace=True))
    model = nn.Module()
    model.conv1, model.features = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Sequential(features)
    model.avgpool, model.linear = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(channels, 100)
    model.forward = lambda x: model.linear(model.features(model.conv1(x)).mean((2, 3)))
    torch.save(fill(model, 74).state_dict(), path)
    return lambda x: model.double()(x)


@layout("gpleiss: small_inputs, bottlenecks of twice the growth", size=SIZE)
def gpleiss(path):
    class Dense(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, 2 * GROWTH, 1, bias=False)
            self.norm2, self.conv2 = nn.BatchNorm2d(2 * GROWTH), nn.Conv2d(2 * GROWTH, GROWTH, 3, padding=1, bias=False)

        def forward(self, x):
            return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)

    channels, features = 8, OrderedDict(conv0=nn.Conv2d(3, 8, 3, padding=1, bias=False))
    for number, count in enumerate((2, 2, 2), start=1):
        layers = OrderedDict((f"denselayer{i + 1}", Dense(channels + GROWTH * i)) for i in range(count))
        features[f"denseblock{number}"] = nn.Sequential(layers)
        channels += GROWTH * count
        if number < 3:
            parts = OrderedDict(norm=nn.BatchNorm2d(channels), relu=nn.ReLU(), conv=nn.Conv2d(channels, channels // 2, 1, bias=False), pool=nn.AvgPool2d(2))
            features[f"transition{number}"] = nn.Sequential(parts)
            channels //= 2
    features["norm_final"] = nn.BatchNorm2d(channels)
    model = nn.Module()
    model.features, model.classifier = nn.Sequential(features), nn.Linear(channels, 10)
    model.forward = lambda x: model.classifier(F.relu(model.features(x)).mean((2, 3)))
    torch.save(fill(model, 75).state_dict(), path)
    return lambda x: model.double()(x)
