"""The numbers are PyTorch's, within its own error, and the command line's to the bit."""

import json
from dataclasses import asdict

import densenet_wgpu as dn
import numpy as np
import pytest
from conftest import ROOT


def test_logits_are_pytorchs(net):
    images = np.load(ROOT / "tests/fixtures/digits/heldout.npy")
    expected = np.load(ROOT / "tests/fixtures/digits/logits.npy")
    found = net.logits(list(images))
    assert found.dtype == np.float32 and found.shape == (360, 10)
    assert (np.abs(found - expected).max(axis=1) <= 2e-5 * np.abs(expected).max(axis=1)).all()


def test_classes_are_the_programs_to_the_bit(net, paths, densenet):
    rows = [json.loads(line) for line in densenet("classify", *paths, "--model", "digits", "--format", "json").splitlines()]
    found = net.classify(paths)
    assert len(rows) == len(found) == 40
    for row, classes in zip(rows, found):
        # A row has as many digits of a logit as tell one 32-bit float from another.
        assert [asdict(one) for one in classes] == [{**one, "logit": float(np.float32(one["logit"]))} for one in row["top"]]


def test_logits_of_tensors_are_the_programs_to_the_bit(net, tensors, densenet, tmp_path):
    np.save(tmp_path / "in.npy", tensors)
    densenet("infer", tmp_path / "in.npy", "--model", "digits", "--output", tmp_path / "out.npy")
    assert np.array_equal(net.logits(tensors), np.load(tmp_path / "out.npy"))


def test_features_are_the_programs_to_the_bit(net, paths, densenet, tmp_path):
    densenet("embed", *paths[:5], "--model", "digits", "--output", tmp_path / "features.npy")
    found = net.embed(paths[:5])
    assert found.shape == (5, 50) and np.array_equal(found, np.load(tmp_path / "features.npy"))


def test_maps_are_the_programs_to_the_bit(net, densenet, tmp_path):
    path = ROOT / "examples/digits/7-1459-64.png"
    densenet("classify", path, "--model", "digits", "--heatmap", tmp_path)
    [heatmap] = net.heatmaps(path)
    [expected] = [np.load(one) for one in tmp_path.glob("*.npy")]
    assert np.array_equal(heatmap.of(), expected) and heatmap.predictions == net.classify(path)[0]
    assert heatmap.view == (0, 0, 64, 64)


def test_a_heatmap_lies_over_its_picture(net):
    picture = np.full((64, 64), 100, np.uint8)
    [heatmap] = net.heatmaps(picture)
    drawn = heatmap.overlay(picture, 3)
    assert drawn.shape == (64, 64, 3) and drawn.dtype == np.uint8 and (drawn != 100).any()
    assert np.array_equal(drawn, heatmap.overlay(np.repeat(picture[..., None], 3, axis=2), 3))
    with pytest.raises(dn.InputError, match="one of 10 classes, counted from 0, found class 10"):
        heatmap.of(10)
    with pytest.raises(dn.InputError, match=r"found float64 \[64, 64\]"):
        heatmap.overlay(picture / 255)


def test_probabilities_are_the_softmax(net, path):
    logits = net.logits(path).astype(np.float64)
    exponentials = np.exp(logits - logits.max())
    found = net.probabilities(path)
    assert found.dtype == np.float64 and np.allclose(found, exponentials / exponentials.sum(), rtol=1e-12)
    assert found[0].argmax() == net.classify(path, top_k=1)[0][0].index == 7


def test_logits_that_are_no_probabilities_are_said_to_be_none(path):
    with dn.Classifier("digits", activation="none") as net:
        assert net.classify(path)[0][0].probability is None
        with pytest.raises(dn.InputError, match='plain logits; state it \\(activation="sigmoid"\\)'):
            net.probabilities(path)


def test_the_reference_agrees(net, path):
    with dn.Classifier("digits", device="cpu") as reference:
        assert reference.devices == ["cpu"]
        assert np.allclose(reference.logits([path] * 3), net.logits([path] * 3), atol=1e-4)


def test_ten_crops_have_a_row_each(path):
    crops = {"filter": "bilinear", "mode": "short_side", "size": 80}
    preprocess = {**dn.inspect("digits").preprocessing, "resize": crops, "crop": [64, 64]}
    with dn.Classifier("digits", preprocess=preprocess, ten_crops=True) as net:
        assert net.logits([path, path]).shape == (2, 10, 10)
        assert net.probabilities([path, path]).shape == (2, 10)


def test_a_mirror_image_has_a_row_too(path, net, tensors):
    with dn.Classifier("digits", flip=True, average="logits", batch_invariant=True) as both:
        logits = both.logits([path, path])
        assert logits.shape == (2, 2, 10) and np.array_equal(logits[0, 0], net.logits(path)[0])
        ranked = {one.index: one.logit for one in both.classify(path, top_k=10)[0]}
        assert np.allclose([ranked[index] for index in range(10)], logits[0].mean(axis=0), atol=1e-6)
        with pytest.raises(dn.InputError, match="pictures alone or tensors alone, found 20 numbers for the first and 10 for picture 1"):
            both.logits([path, tensors[0]])


def test_the_order_is_that_of_the_inputs_in_batches_of_any_size(net, paths):
    expected = net.logits(paths)
    with dn.Classifier("digits", batch=3, batch_invariant=True) as small:
        assert np.array_equal(small.logits(paths), expected)


def test_a_bench_measures_every_batch():
    timings = dn.bench("digits", batch=[1, 3], runs=2)
    assert [timing.batch for timing in timings] == [1, 3]
    assert all(timing.cold_ms > timing.p50_ms > 0 and timing.images_per_second > 0 and timing.gflops > 0 for timing in timings)


def test_a_verification_has_every_layer(tensors):
    found = dn.verify("digits", tensors[:2])
    assert found.agrees and found.first_divergence is None and 0 < found.worst.error < found.tolerance == 1e-4
    assert found.device == dn.devices()[0] and found.model == "digits" and found.precision == "f32"
    assert len(found.unfused) > len(found.fused) and found.unfused[-1].layer == "classifier"
    with pytest.raises(dn.InputError, match="expected one GPU"):
        dn.verify("digits", device="cpu")
    with pytest.raises(dn.InputError, match=r"float64 \[2, 3, 64, 64\]"):
        dn.verify("digits", tensors[:2].astype(np.float64))


def test_what_a_model_is_the_program_says_too(densenet):
    expected = json.loads(densenet("inspect", "digits", "--format", "json"))
    found = dn.inspect("digits")
    for key in ["name", "identity", "container", "dialect", "wrapper", "architecture", "dtype", "parameters", "preprocessing", "labels", "flops"]:
        assert getattr(found, key) == expected[key], key
    assert list(found.size) == expected["size"] and found.classes == 10 and found.assumed == []


def test_a_model_has_properties(net):
    assert (net.name, net.classes, net.input_shape, net.size) == ("digits", 10, (3, 64, 64), (64, 64))
    assert net.labels == list("0123456789") and net.devices == [dn.devices()[0].name] and net.notes == net.assumed == []
    assert net.preprocessing == net.inspect().preprocessing and net.architecture.startswith("DenseNet-")
    assert repr(net).startswith("<Classifier 'digits': DenseNet-") and "64x64, on " in repr(net)
