"""How a model is opened, and what is refused with which remedy."""

import json

import densenet_wgpu as dn
import numpy as np
import pytest
from conftest import ROOT


@pytest.mark.parametrize(
    ("arguments", "kind", "expected"),
    [
        ({"model": "digit"}, dn.CheckpointError, 'no model or file is called "digit"; did you mean digits?'),
        ({"model": "models/digts.safetensors"}, dn.CheckpointError, "did you mean models/digits.safetensors?"),
        ({"model": "README.md"}, dn.CheckpointError, "README.md: is a text file, not a checkpoint"),
        ({"model": 3}, dn.InputError, "model: expected a name, an hf:// address or the path of a checkpoint, found int"),
        ({"device": "rtx"}, dn.DeviceError, 'no adapter is called "rtx"'),
        ({"device": "cpuu"}, dn.DeviceError, '"cpu" for the reference; did you mean cpu?'),
        ({"device": ["0", "0"]}, dn.InputError, "expected each device once"),
        ({"device": []}, dn.InputError, "expected at least one device, found none"),
        ({"device": "cpu", "precision": "f16"}, dn.InputError, "expected 32-bit floats"),
        ({"precision": "f8"}, dn.InputError, 'precision: expected "f32", "f16" or "auto", found "f8"'),
        ({"batch": 0}, dn.InputError, "batch: expected at least 1, found 0"),
        ({"batch": "16"}, dn.InputError, "batch: expected a whole number, found str"),
        ({"size": (64, 64, 3)}, dn.InputError, "size: expected (height, width) or one number for both, found (64, 64, 3)"),
        ({"max_pixels": -1}, dn.InputError, "max_pixels: expected at least 1, found -1"),
        ({"labels": "cifar"}, dn.InputError, 'found "cifar"; did you mean cifar10?'),
        ({"labels": ["a", "b"]}, dn.InputError, "expected 10 labels, one for each of the model's classes, found 2; lists of 10 are cifar10, svhn"),
        ({"labels": "docs"}, dn.InputError, "expected 10 labels"),
        ({"preprocess": "torchvison"}, dn.InputError, "did you mean torchvision?"),
        ({"preprocess": {"mean": 3}}, dn.InputError, "preprocess: expected a preset or a preprocessing"),
        ({"average": "votes"}, dn.InputError, 'average: expected "probabilities" or "logits", found "votes"'),
        ({"activation": "relu"}, dn.InputError, 'activation: expected "softmax", "sigmoid" or "none", found "relu"'),
        ({"size": (2, 2)}, dn.InputError, "too small for this network"),
        ({"ten_crops": True}, dn.InputError, "expected a preprocessing with a crop"),
        ({"sample_range": (5, 5)}, dn.InputError, 'expected (least, most) or "auto", found (5, 5)'),
        ({"head_layers": ["linaer"]}, dn.InputError, "head_layers: "),
        ({"stem": "stride=x"}, dn.InputError, "stem: "),
        ({"new_channels": "middle"}, dn.InputError, "new_channels: "),
        ({"blur": False}, dn.InputError, "blur=False: expected a model with a deep stem"),
        ({"root": "encoder"}, dn.CheckpointError, "root= encoder: expected a DenseNet there"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, kind, expected, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(dn.Error) as refused:
        dn.Classifier(**{"model": "digits", **arguments})
    assert type(refused.value) is kind and expected in str(refused.value), refused.value


def test_input_errors_are_value_errors_and_memory_is_pythons():
    assert issubclass(dn.InputError, ValueError) and issubclass(dn.ClosedError, ValueError)
    assert issubclass(dn.OutOfMemoryError, MemoryError) and issubclass(dn.DeviceLostError, dn.DeviceError)
    for name in dn.__all__:
        kind = getattr(dn, name)
        assert not name.endswith("Error") or issubclass(kind, dn.Error)


def test_a_misspelt_argument_is_a_type_error():
    with pytest.raises(TypeError, match="prescision"):
        dn.Classifier("digits", prescision="f32")
    with pytest.raises(TypeError, match="unexpected argument 'prescision'; did you mean precision?"):
        dn.inspect("digits", prescision="f32")


def test_without_a_driver_the_error_says_what_to_install(output):
    text = output("no_driver.py")
    assert text.startswith("DeviceError: no adapter found") and 'use device="cpu"' in text


def test_labels_are_lists_names_files_and_folders(tmp_path, path):
    labels = list("abcdefghij")
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    for label in labels:
        (tmp_path / "folders" / label).mkdir(parents=True)
    for given in (labels, tuple(labels), tmp_path / "labels.txt", str(tmp_path / "folders")):
        with dn.Classifier("digits", labels=given, device="cpu") as net:
            assert net.labels == labels and net.classify(path, 1)[0][0].label == "h"
    with dn.Classifier("digits", labels="cifar10", device="cpu") as net:
        assert net.labels[9] == "truck"


def test_preprocessing_is_a_preset_a_file_or_a_dictionary(tmp_path, net, path):
    own = net.preprocessing
    (tmp_path / "own.json").write_text(json.dumps(own))
    for given in (own, tmp_path / "own.json", str(tmp_path / "own.json")):
        with dn.Classifier("digits", preprocess=given) as same:
            assert np.array_equal(same.logits(path), net.logits(path))
    with dn.Classifier("digits", preprocess="cifar") as other:
        assert other.size == (32, 32)


def test_features_alone_are_of_one_network(path, net):
    with dn.Classifier("digits", features_only=True) as features:
        assert np.array_equal(features.embed(path), net.embed(path))
        assert list(features._open) == ["features"]


def test_several_devices_share_pictures(paths, net):
    with dn.Classifier("digits", device=[0, "cpu"], batch=4) as both:
        assert len(both.devices) == 2 and np.allclose(both.logits(paths), net.logits(paths), atol=1e-4)


def test_half_precision_is_near(paths, net):
    if "f16" not in dn.devices()[0].features:
        pytest.fail("this test needs a device with 16-bit floats")
    with dn.Classifier("digits", precision="f16") as half, dn.Classifier("digits", precision="auto") as best:
        exact = net.logits(paths)
        for found in (half.logits(paths), best.logits(paths)):
            assert (np.abs(found - exact).max(axis=1) <= 2e-2 * np.abs(exact).max(axis=1)).all()
