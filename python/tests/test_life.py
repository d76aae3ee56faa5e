"""How a classifier lives: closed, shared, pickled, warned about, and gone with the interpreter."""

import copy
import pickle
import re
import subprocess
import sys
import threading
import warnings

import densenet_wgpu as dn
import numpy as np
import pytest
from conftest import ROOT, SECONDS
from PIL import Image


def test_a_closed_classifier_says_so(path):
    net = dn.Classifier("digits")
    with net as same:
        assert same is net and not net.closed
    assert net.closed and "closed" in repr(net)
    net.close()
    for use in (lambda: net.classify(path), lambda: net.embed(path), lambda: net.labels, lambda: pickle.dumps(net)):
        with pytest.raises(dn.ClosedError, match="found a closed one; make another"):
            use()


def test_closing_waits_for_what_runs(path):
    net = dn.Classifier("digits", batch=1)
    started, results = threading.Event(), []

    def pictures():
        for _ in range(50):
            yield path
            started.set()

    thread = threading.Thread(target=lambda: results.append(net.logits(pictures())))
    thread.start()
    assert started.wait(SECONDS)
    net.close()
    thread.join(SECONDS)
    assert results[0].shape == (50, 10) and net.closed


def test_threads_share_one(net, tensors, paths):
    expected = net.logits(tensors), net.logits(paths[:8])
    wrong = []

    def run():
        for _ in range(5):
            found = net.logits(tensors), net.logits(paths[:8])
            if not all(np.array_equal(*pair) for pair in zip(found, expected)):
                wrong.append(found)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_other_threads_run_meanwhile(net, tensors):
    """Python's lock is free while a device works."""
    many = np.concatenate([tensors] * 20)
    ticks, over = [], threading.Event()

    def tick():
        while not over.wait(0.001):
            ticks.append(None)

    thread = threading.Thread(target=tick)
    thread.start()
    net.logits(many)
    over.set()
    thread.join()
    assert len(ticks) > 5


def test_a_copy_of_a_pickle_opens_the_same(tmp_path, path, net, monkeypatch):
    model = tmp_path / "mine.safetensors"
    model.write_bytes((ROOT / "models/digits.safetensors").read_bytes())
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join("abcdefghij"))
    monkeypatch.chdir(tmp_path)
    mine = dn.Classifier("mine.safetensors", labels="labels.txt", batch=3)
    dumped = pickle.dumps(mine)
    labels.unlink()
    monkeypatch.chdir(ROOT)
    again = pickle.loads(dumped)
    assert "not opened here yet" in repr(again)
    assert again.labels == list("abcdefghij") and np.array_equal(again.logits(path), net.logits(path))
    assert "not opened" not in repr(again)
    assert np.array_equal(copy.deepcopy(net).logits(path), net.logits(path))


def test_an_exception_can_be_pickled():
    with pytest.raises(dn.CheckpointError) as failed:
        dn.Classifier("digit")
    error = pickle.loads(pickle.dumps(failed.value))
    assert (type(error), str(error), error.place, error.index) == (dn.CheckpointError, str(failed.value), failed.value.place, None)


def test_what_is_assumed_is_a_warning_where_it_was_made(tmp_path, densenet):
    untrained = tmp_path / "untrained.safetensors"
    densenet("init", "--arch", "densenet121", "--classes", "2", untrained)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with dn.Classifier(untrained, size=32) as net:
            net.classify(np.zeros((32, 32), np.uint8))
            name, assumed = net.name, net.assumed
    ours = [warning for warning in caught if "software device" not in str(warning.message)]
    assert {warning.filename for warning in ours} == {__file__} and all(warning.category is dn.DensenetWarning for warning in ours)
    assert [str(warning.message) for warning in ours] == [f"{name}: {one}" for one in assumed]
    assert [one.field for one in assumed] == ["activation", "labels", "preprocessing"]
    assert str(assumed[0]).endswith('(activation="softmax", "sigmoid" or "none")') and assumed[1].value is None


def test_a_software_device_is_a_warning():
    if not dn.devices()[0].is_software:
        pytest.fail("this test needs a machine without a GPU")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with dn.Classifier("digits") as net:
            assert net.warnings == [str(warning.message) for warning in caught]
    assert re.match("no GPU in use: .* is a software device", net_warning := str(caught[0].message)), net_warning


def test_progress_is_shown_by_tqdm_or_said_to_need_it(net, paths, monkeypatch):
    class Bar:
        made: "list[Bar]" = []

        def __init__(self, **arguments):
            self.arguments, self.count = arguments, 0
            self.made.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self, count):
            self.count += count

    tqdm = type(sys)("tqdm.auto")
    tqdm.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", type(sys)("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", tqdm)
    net.classify(paths, progress=True)
    assert [(bar.arguments["total"], bar.count) for bar in Bar.made] == [(40, 40)]
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.warns(dn.DensenetWarning, match="pip install tqdm"):
        net.classify(paths[:1], progress=True)


def test_an_interpreter_that_ends_in_the_middle_ends(output):
    assert output("exit.py") == "ended\n"


def test_ctrl_c_ends_a_run_and_no_more(start):
    import signal

    process = start("interrupt.py")
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    written, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, complaints) == (0, "") and written == "interrupted\n7\n"


def test_the_package_needs_numpy_alone():
    imported = "import sys, densenet_wgpu; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    finished = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert not {"PIL", "torch", "tqdm"} & set(finished.stdout.split())


def test_what_to_know_of_a_picture_is_told_once(tmp_path, path):
    picture = Image.open(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "lying.png", exif=exif)
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8)).save(tmp_path / "narrow.png")
    with dn.Classifier("digits") as net, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.classify([path, tmp_path / "lying.png", tmp_path / "narrow.png", tmp_path / "lying.png"])
        net.classify(tmp_path / "lying.png")
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2 and {warning.filename for warning in caught} == {__file__}, texts
    assert texts[0].startswith("picture 1: EXIF orientation 6 is not applied") and "sample_range=" in texts[1]
