"""Checkpoints as trainers write them, and in which elements, storages and pickles."""

import argparse
import copy
import pickle
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import torch
import torchvision
from torch import nn

from .layout import FEATURES, WIDTHS, densenet, fill, layout, prefixed


# Trainers


@layout("DeepSpeed's mp_rank_00_model_states.pt")
def deepspeed(path):
    model = densenet()
    state = model.state_dict()
    shapes = [OrderedDict((name, tensor.shape) for name, tensor in model.named_parameters())]
    torch.save(
        dict(module=state, buffer_names=[name for name, _ in model.named_buffers()], optimizer=None, param_shapes=shapes,
             shared_params={}, lr_scheduler=None, sparse_tensor_module_names=set(), skipped_steps=0, global_steps=10,
             dp_world_size=2, mp_world_size=1, ds_config={"train_batch_size": 8}, ds_version="0.16.2"),
        path,
    )  # fmt: skip
    return model


@layout("Accelerate: torch.compile in DistributedDataParallel, safetensors")
def accelerate(path):
    from safetensors.torch import save_file

    model = densenet(seed=2)
    save_file(prefixed(model.state_dict(), "module._orig_mod."), path, metadata={"format": "pt"})
    return model


@layout("parameters and buffers of recomputed layers in FSDP")
def fsdp(path):
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import apply_activation_checkpointing

    model = densenet(seed=3)
    twin = copy.deepcopy(model)
    apply_activation_checkpointing(twin, check_fn=lambda module: type(module).__name__ == "_DenseLayer")
    named = OrderedDict([*twin.named_parameters(), *twin.named_buffers()])
    torch.save({"model": prefixed(named, "_fsdp_wrapped_module.")}, path)
    return model


@layout("timm's train.py, CheckpointSaver with ModelEmaV3")
def timm_train(path):
    from timm.models.densenet import DenseNet
    from timm.utils import CheckpointSaver, ModelEmaV3

    widths = {key: value for key, value in WIDTHS.items() if key != "num_init_features"}
    model = fill(DenseNet(num_classes=5, **widths), 4)
    average = ModelEmaV3(model, decay=0.9)
    fill(average.module, 5)
    model.pretrained_cfg, model.default_cfg = {}, {}
    args = argparse.Namespace(model="densenet121", num_classes=5, mean=None, std=None, img_size=None, crop_pct=None, bce_loss=False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    saver = CheckpointSaver(model, optimizer, args=args, model_ema=average, checkpoint_dir=str(path.parent), recovery_dir="")
    saver.save_checkpoint(3, metric=71.5)
    (path.parent / "last.pth.tar").replace(path)
    return average.module


@layout("torch.optim.swa_utils.AveragedModel of two networks")
def averaged(path):
    swa = torch.optim.swa_utils.AveragedModel(densenet(seed=6))
    for seed in (6, 7):
        swa.update_parameters(densenet(seed=seed))
    torch.save({"swa_state": swa.state_dict(), "epoch": 9}, path)
    return swa.module.eval()


@layout("lightning: a module with metrics, a weighted loss and hyper-parameters", says={"activation": "sigmoid"})
def lightning(path):
    import lightning.pytorch as pl
    import torchmetrics

    class Module(pl.LightningModule):
        def __init__(self, rate, classes):
            super().__init__()
            self.save_hyperparameters()
            self.net = densenet(classes, seed=8)
            self.criterion = nn.BCEWithLogitsLoss(pos_weight=torch.full((classes,), 2.0))
            self.auroc = torchmetrics.AUROC("multilabel", num_labels=classes)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), self.hparams.rate)

    module = Module(1e-3, 5)
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(path)
    return module.net


@layout("ignite's Checkpoint of a network, an optimizer and a trainer")
def ignite(path):
    from ignite.engine import Engine
    from ignite.handlers import Checkpoint, DiskSaver

    model = densenet(seed=9)
    parts = dict(model=nn.DataParallel(model), optimizer=torch.optim.Adam(model.parameters()), trainer=Engine(lambda *_: None))
    Checkpoint(parts, DiskSaver(path.parent, require_empty=False), filename_pattern=path.name)(parts["trainer"])
    return model


def fastai_learner(path):
    """Return a learner of a DenseNet with fastai's own head."""
    from fastai.vision.all import DataLoaders, Learner, TfmdLists, create_body, create_head

    body = create_body(densenet(seed=10), pretrained=False, cut=-1)
    net = fill(nn.Sequential(body, create_head(FEATURES, 4, lin_ftrs=[6])), 11)
    pictures = TfmdLists([0, 1], lambda index: (torch.zeros(3, 64, 64), index))
    return Learner(DataLoaders.from_dsets(pictures, pictures, bs=1), net, loss_func=nn.CrossEntropyLoss(), path=path.parent, model_dir=".")


@layout("fastai's Learner.save with its optimizer")
def fastai_save(path):
    learner = fastai_learner(path)
    learner.create_opt()
    return learner.model.eval(), learner.save(path.stem, with_opt=True)


def learner_saved(path):
    """Do what the message about a program in a pickle says."""
    torch.save(torch.load(path, weights_only=False).model.state_dict(), path.with_suffix(".pth.tar"))
    return path.with_suffix(".pth.tar")


@layout("fastai's Learner.export: a pickled learner", refused="model.state_dict()", mend=learner_saved)
def fastai_export(path):
    learner = fastai_learner(path)
    learner.export(path.name)
    return learner.model.eval()


@layout("catalyst's full checkpoint, a network under model_state_dict")
def catalyst(path):
    model = densenet(seed=12)
    torch.save(
        dict(model_state_dict=model.state_dict(), criterion_state_dict=OrderedDict(weight=torch.ones(5)),
             optimizer_state_dict=torch.optim.Adam(model.parameters()).state_dict(), scheduler_state_dict={"last_epoch": 3},
             valid_metrics={"loss": 0.3, "accuracy": 0.9}, stage="train", checkpoint_data={}),
        path,
    )  # fmt: skip
    return model


@layout("ema-pytorch: the network and its average in one module")
def ema_pytorch(path):
    model, average = densenet(seed=13), densenet(seed=14)
    state = prefixed(model.state_dict(), "online_model.") | prefixed(average.state_dict(), "ema_model.")
    torch.save({"ema": state | {"initted": torch.tensor(True), "step": torch.tensor(4)}}, path)
    return average


@layout("five networks of a cross-validation", flags=("--root", "fold_2"))
def folds(path):
    models = [densenet(seed=20 + fold) for fold in range(5)]
    torch.save({f"fold_{index}": model.state_dict() for index, model in enumerate(models)}, path)
    return models[2]


@layout("class_to_idx, an architecture and arguments beside", says={"labels": list("badce")})
def class_to_idx(path):
    model = densenet(seed=15)
    numbers = dict(a=1, b=0, c=3, d=2, e=4)
    args = SimpleNamespace(arch="densenet121", lr=0.1)
    torch.save(dict(args=args, arch="densenet121", best_acc1=torch.tensor(70.5), class_to_idx=numbers, net=model.state_dict()), path)
    return model


# Elements, storages and pickles


@layout("channels_last, in 16-bit brain floats")
def channels_last(path):
    model = densenet(seed=30).bfloat16().to(memory_format=torch.channels_last)
    torch.save({"state_dict": model.state_dict()}, path)
    return model


@layout("DataParallel pickled whole, protocol 5, memory_efficient, dropout")
def data_parallel(path):
    model = densenet(seed=31, memory_efficient=True, drop_rate=0.2)
    torch.save(nn.DataParallel(model), path, pickle_protocol=5)
    return model


@layout("pickled whole in the older stream, batch norms synchronised, epsilon 0.001")
def synchronised(path):
    model = nn.SyncBatchNorm.convert_sync_batchnorm(densenet(seed=32))
    for module in model.modules():
        if isinstance(module, nn.SyncBatchNorm):
            module.eps = 1e-3
    torch.save(model, path, _use_new_zipfile_serialization=False)
    return model


@layout("frozen batch norms, pickled whole")
def frozen_norms(path):
    model = densenet(seed=33)

    def freeze(module):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                frozen = torchvision.ops.misc.FrozenBatchNorm2d(child.num_features)
                frozen.load_state_dict(child.state_dict())
                setattr(module, name, frozen)
            freeze(child)

    freeze(model)
    torch.save({"model": model, "epoch": 3}, path)
    return model


@layout("pruned, pickled whole with its hooks")
def pruned(path):
    from torch.nn.utils import prune

    model = densenet(seed=34)
    parts = [(module, "weight") for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    prune.global_unstructured(parts, prune.L1Unstructured, amount=0.5)
    prune.ln_structured(model.features.denseblock4.denselayer2.conv2, "weight", amount=0.3, n=2, dim=0)
    torch.save(model, path)
    return model


@layout("quantised after training: a linear layer of 8 bits", refused="quantised")
def quantised(path):
    model = densenet(seed=35)
    torch.save(torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, torch.qint8).state_dict(), path)
    return model


def norm_removed(path):
    """Do what the message about a computed weight says."""
    model = densenet(seed=36)
    nn.utils.parametrizations.weight_norm(model.classifier)
    model.load_state_dict(torch.load(path))
    nn.utils.parametrize.remove_parametrizations(model.classifier, "weight")
    torch.save(model.state_dict(), path.with_suffix(".removed.pth"))
    return path.with_suffix(".removed.pth")


@layout("a classifier with weight_norm", refused="remove_parametrizations", mend=norm_removed)
def weight_norm(path):
    model = densenet(seed=36)
    nn.utils.parametrizations.weight_norm(model.classifier)
    with torch.no_grad():
        model.classifier.parametrizations.weight.original0 *= 1.5
    torch.save(model.state_dict(), path)
    return model


@layout("TorchScript of a network in 16 bits in a wrapper, traced")
def traced(path):
    model = densenet(seed=37).half().float()
    wrapper = nn.Sequential(OrderedDict(backbone=model, activation=nn.Softmax(1)))
    script = torch.jit.trace(wrapper, torch.zeros(1, 3, 64, 64))
    script.half().save(path)
    return model


def exported_weights(path):
    """Do what the message about a program of torch.export says."""
    torch.save(torch.export.load(path).state_dict, path.with_suffix(".pth"))
    return path.with_suffix(".pth")


@layout("torch.export's program", refused="torch.export.load", mend=exported_weights)
def exported(path):
    path = path.with_suffix(".pt2")
    torch.export.save(torch.export.export(densenet(seed=38), (torch.zeros(1, 3, 64, 64),)), path)
    return densenet(seed=38), path


def state_saved(path):
    """Do what the message about a pickle says."""
    torch.save(densenet(seed=39).state_dict(), path.with_suffix(".saved.pth"))
    return path.with_suffix(".saved.pth")


@layout("a pickled dictionary of NumPy's arrays", refused="torch.save", mend=state_saved)
def pickled(path):
    model = densenet(seed=39)
    path.write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in model.state_dict().items()}))
    return model


def arrays_saved(path):
    """Do what the message about an archive of arrays says."""
    torch.save({name: torch.from_numpy(value) for name, value in np.load(path).items()}, path.with_suffix(".pth"))
    return path.with_suffix(".pth")


@layout("numpy.savez of a state dict", refused="numpy.load", mend=arrays_saved)
def arrays(path):
    model = densenet(seed=67)
    np.savez(path.with_suffix(".npz"), **{name: tensor.numpy() for name, tensor in model.state_dict().items()})
    return model, path.with_suffix(".npz")
