"""Networks of libraries and repositories, heads, stems, and networks inside others."""

import copy
import json
from collections import OrderedDict

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from .layout import FEATURES, WIDTHS, densenet, fill, layout, pooled, prefixed

TIMM = {key: value for key, value in WIDTHS.items() if key != "num_init_features"}


class Net(nn.Module):
    """A network's features, and what reads them."""

    def __init__(self, features, head, between=F.relu, pool=lambda x: x.mean((2, 3)), wanted=None, name="features"):
        super().__init__()
        self.add_module(name, features)
        self.head, self.between, self.pool, self.wanted, self.name = head, between, pool, wanted, name

    def forward(self, x):
        x = self.pool(self.between(self.get_submodule(self.name)(x)))
        return (self.head[self.wanted] if self.wanted else self.head)(x)


# Libraries


@layout("timm with the pool catavgmax", flags=("--head-layers", "meanmaxpool,linear"))
def timm_catavgmax(path):
    from timm.models.densenet import DenseNet

    model = fill(DenseNet(num_classes=5, global_pool="catavgmax", **TIMM), 40)
    torch.save(model.state_dict(), path)
    return model


def for_hub(model, folder, **options):
    """Save a network of timm's as it publishes them."""
    from timm.models import save_for_hf

    model.pretrained_cfg = dict(
        architecture="densenet121", num_classes=5, input_size=(3, 64, 64), interpolation="bicubic", crop_pct=0.9,
        mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), first_conv="features.conv0", classifier="classifier", **options,
    )  # fmt: skip
    folder.mkdir()
    save_for_hf(model, folder, safe_serialization=True)
    return folder / "model.safetensors"


@layout("timm's save_for_hf, with a pool of maxima", refused="pool")
def timm_max(path):
    from timm.models.densenet import DenseNet

    model = fill(DenseNet(num_classes=5, global_pool="max", **TIMM), 41)
    return model, for_hub(model, path.with_suffix(""))


@layout("timm's save_for_hf of a network with a deep stem that blurs")
def timm_blur(path):
    from timm.layers import BlurPool2d
    from timm.models.densenet import DenseNet

    model = fill(DenseNet(num_classes=5, stem_type="deep", aa_layer=BlurPool2d, **TIMM), 42)
    file = for_hub(model, path.with_suffix(""))
    config = file.with_name("config.json")
    config.write_text(json.dumps(json.loads(config.read_text()) | {"architecture": "densenetblur121d"}))
    return model, file


@layout("transformers' TimmWrapperForImageClassification.save_pretrained", says={"labels": ["cat", "dog"]})
def timm_wrapper(path):
    from transformers import TimmWrapperConfig, TimmWrapperForImageClassification

    config = TimmWrapperConfig(architecture="densenet121", model_args=dict(**TIMM), id2label={0: "cat", 1: "dog"}, label2id={"cat": 0, "dog": 1})
    model = TimmWrapperForImageClassification(config)
    fill(model.timm_model, 43)
    folder = path.with_suffix("")
    model.save_pretrained(folder)
    return model.timm_model, folder / "model.safetensors"


@layout("huggingface_hub's PyTorchModelHubMixin.save_pretrained")
def hub_mixin(path):
    from huggingface_hub import PyTorchModelHubMixin

    class Model(nn.Module, PyTorchModelHubMixin):
        def __init__(self, classes):
            super().__init__()
            self.model = densenet(classes, seed=44)

    model, folder = Model(4), path.with_suffix("")
    model.save_pretrained(folder)
    return model.model, folder / "model.safetensors"


def xrv_logits(model):
    """Return what torchxrayvision's network computes before its sigmoid and thresholds."""
    return lambda x: copy.deepcopy(model).double().classifier(copy.deepcopy(model).double().features2(x))


@layout("torchxrayvision with 8 findings and its thresholds, state dict", channels=1)
def xrv_state(path):
    import torchxrayvision as xrv

    model = fill(xrv.models.DenseNet(num_classes=8, in_channels=1, op_threshs=torch.rand(8), **WIDTHS), 45)
    torch.save({"state_dict": model.state_dict()}, path)
    return xrv_logits(model)


@layout("torchxrayvision trained on: another classifier, apply_sigmoid, pickled whole", channels=1, says={"activation": "sigmoid"})
def xrv_tuned(path):
    import torchxrayvision as xrv

    model = xrv.models.DenseNet(num_classes=18, in_channels=1, apply_sigmoid=True, **WIDTHS)
    model.op_threshs = None
    model.classifier = nn.Linear(FEATURES, 1)
    torch.save(fill(model, 46), path)
    return xrv_logits(model)


def monai(classes=2, **options):
    """Return MONAI's network, small."""
    from monai.networks.nets import DenseNet

    widths = dict(init_features=8, growth_rate=4, block_config=(2, 2, 2, 2), bn_size=2)
    return DenseNet(spatial_dims=2, in_channels=1, out_channels=classes, **widths | options)


@layout("a MONAI bundle's model.ts, saved with its metadata", channels=1)
def monai_bundle(path):
    from monai.data import save_net_with_metadata

    model = fill(monai(dropout_prob=0.2), 47)
    path = path.with_suffix(".ts")
    save_net_with_metadata(torch.jit.script(model), str(path), meta_values={"version": "0.1.0", "network_data_format": {"outputs": {}}})
    return model, path


@layout("a MONAI bundle's model.pt, written by its CheckpointSaver", channels=1)
def monai_saver(path):
    from ignite.engine import Engine, Events
    from monai.handlers import CheckpointSaver

    model, engine = fill(monai(1), 48), Engine(lambda *_: 0.0)
    CheckpointSaver(str(path.parent), {"network": model, "opt": torch.optim.Adam(model.parameters())}, save_final=True,
                    final_filename=path.name).attach(engine)  # fmt: skip
    engine.run([0], 1)
    return model


@layout("MONAI's network with PReLU", channels=1, refused="no DenseNet has")
def monai_prelu(path):
    model = fill(monai(act="prelu"), 49)
    torch.save(model.state_dict(), path)
    return model


# Heads


@layout("one logit behind a dropout, with a sigmoid, pickled whole", says={"activation": "sigmoid"})
def one_logit(path):
    model = densenet(seed=50)
    model.classifier = fill(nn.Sequential(nn.Dropout(0.3), nn.Linear(FEATURES, 1), nn.Sigmoid()), 50)
    torch.save(model, path)
    return lambda x: torch.special.logit(copy.deepcopy(model).double()(x))


@layout("heads of several tasks in a ModuleDict", flags=("--head", "heads.sex"))
def tasks(path):
    heads = nn.ModuleDict(dict(age=nn.Linear(FEATURES, 6), sex=nn.Linear(FEATURES, 2), view=nn.Linear(FEATURES, 3)))
    model = Net(densenet().features, heads, wanted="sex")
    state = fill(model, 51).state_dict()
    torch.save(OrderedDict((name.replace("head.", "heads."), tensor) for name, tensor in state.items()), path)
    return model


@layout("two dense layers with batch norm behind a backbone", flags=("--head-layers", "linear,batchnorm,relu,dropout,linear"))
def two_layers(path):
    head = nn.Sequential(nn.Linear(FEATURES, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3))
    model = fill(Net(densenet().features, head), 52)
    torch.save({"model_state": prefixed(model.state_dict(), "backbone.")}, path)
    return model


@layout("a 1x1 convolution for a classifier")
def convolution(path):
    head = nn.Sequential(nn.Conv2d(FEATURES, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = fill(Net(densenet().features, head, pool=lambda x: x), 53)
    torch.save(model.state_dict(), path)
    return model


class MeansOfPowers(nn.Module):
    """The pool GeM, whose power is trained."""

    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, x):
        return x.clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)


class Pooled(Net):
    """A network with a pool that has weights."""

    def __init__(self, features, head):
        pool = MeansOfPowers()
        super().__init__(features, head, pool=pool)


@layout("means of powers (GeM) for a pool", refused="pool.p")
def gem(path):
    model = fill(Pooled(densenet().features, nn.Linear(FEATURES, 3)), 54)
    torch.save(model.state_dict(), path)
    return model


class Cosine(nn.Module):
    """ArcFace's classifier: cosines."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, FEATURES))

    def forward(self, x):
        return 30 * F.linear(F.normalize(x), F.normalize(self.weight))


@layout("ArcFace: cosines of features for logits", refused="arcface")
def arcface(path):
    model = Net(densenet().features, Cosine())
    state = fill(model, 55).state_dict()
    torch.save({name.replace("head.", "arcface."): tensor for name, tensor in state.items()}, path)
    return model


class Tempered(nn.Module):
    """A network whose logits are divided by a temperature, as in gpleiss's temperature_scaling."""

    def __init__(self, model):
        super().__init__()
        self.model, self.temperature = model, nn.Parameter(torch.full((1,), 1.5))

    def forward(self, x):
        return self.model(x) / self.temperature


@layout("a temperature that divides logits", refused="temperature")
def temperature(path):
    model = Tempered(densenet(seed=56))
    torch.save(model.state_dict(), path)
    return model


# Stems, edited and joined


@layout("four channels, growth 6, blocks (3,1,2), in a list", channels=4)
def four_channels(path):
    model = densenet(9, 4, 57, growth_rate=6, block_config=(3, 1, 2), num_init_features=12)
    torch.save([{"weights": model.state_dict()}, 3], path)
    return model


@layout("DenseNet-121 for grey pictures, its first convolution summed", channels=1, size=(96, 96))
def grey(path):
    model = fill(torchvision.models.densenet121(num_classes=14), 58)
    first = model.features.conv0
    model.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    model.features.conv0.weight = nn.Parameter(first.weight.sum(1, keepdim=True))
    torch.save({"net": model.state_dict()}, path)
    return model


@layout("a normalisation before the network, in an nn.Sequential")
def normalised(path):
    class Normalise(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor([0.2, 0.25, 0.3]).view(1, 3, 1, 1))

    model = densenet(seed=59)
    torch.save(nn.Sequential(Normalise(), model).state_dict(), path)
    return model


@layout("nn.Sequential(*model.children()): features and classifier by numbers")
def children(path):
    model = densenet(seed=60)
    torch.save(nn.Sequential(*model.children()).state_dict(), path)
    return model


@layout("squeeze and excitation behind the last norm", refused="left over")
def excited(path):
    model = densenet(seed=61)
    model.features.add_module("se", nn.Conv2d(FEATURES, FEATURES, 1))
    torch.save(model.state_dict(), path)
    return model


@layout("norms folded into convolutions", refused="missing")
def folded(path):
    model = densenet(seed=62)
    layer = model.features.denseblock1.denselayer1
    layer.conv1, layer.norm2 = nn.utils.fusion.fuse_conv_bn_eval(layer.conv1, layer.norm2), nn.Identity()
    torch.save(model.state_dict(), path)
    return model


@layout("a batch norm of pictures before the network", refused="left over")
def picture_norm(path):
    model = densenet(seed=63)
    torch.save(prefixed(model.state_dict(), "net.") | fill(nn.Sequential(OrderedDict(bn0=nn.BatchNorm2d(3))), 63).state_dict(), path)
    return model


# Inside something larger


@layout("segmentation_models_pytorch's Unet with a classification head", flags=("--root", "encoder"), size=(64, 64))
def unet(path):
    import segmentation_models_pytorch as smp

    model = fill(smp.Unet("densenet121", encoder_weights=None, aux_params=dict(classes=3, dropout=0.2)), 64)
    torch.save(model.state_dict(), path)
    return lambda x: copy.deepcopy(model).double()(x)[1]


@layout("a backbone with a feature pyramid, without the last norm", refused="cut")
def pyramid(path):
    from torchvision.models.detection.backbone_utils import BackboneWithFPN

    model = densenet(seed=65)
    backbone = BackboneWithFPN(model.features, {"denseblock4": "0"}, [FEATURES], 6)
    torch.save({"model": prefixed(backbone.state_dict(), "backbone.")}, path)
    return model


@layout("siamese towers that share a backbone, with an embedding for a head")
def siamese(path):
    model = fill(Net(densenet().features, nn.Linear(FEATURES, 16, bias=False)), 66)
    state = model.state_dict()
    torch.save({name.replace("features.", "tower.features.").replace("head.", "embedding."): t for name, t in state.items()}, path)
    return model
