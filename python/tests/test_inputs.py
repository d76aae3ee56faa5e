"""What may be given as a picture, and what may not."""

import io
import pathlib

import densenet_wgpu as dn
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image


class Dlpack:
    """An array that speaks DLPack alone."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **arguments):
        return self._array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def kinds(path):
    """One picture in every kind that it may be given in."""
    content = pathlib.Path(path).read_bytes()
    samples = np.asarray(Image.open(path))
    colour = np.repeat(samples[..., None], 3, axis=2)
    read_only = samples.copy()
    read_only.flags.writeable = False
    return {
        "path": path,
        "pathlib": pathlib.Path(path),
        "numpy's string": np.str_(path),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "file": io.BytesIO(content),
        "PIL": Image.open(path),
        "PIL, colour": Image.open(path).convert("RGB"),
        "PIL, palette": Image.open(path).convert("P"),
        "PIL, alpha": Image.open(path).convert("RGBA"),
        "[H, W]": samples,
        "[H, W, 1]": samples[..., None],
        "[H, W, 3]": colour,
        "[1, H, W, 3]": colour[None],
        "read-only": read_only,
        "not contiguous": np.asfortranarray(colour),
        "reversed twice": samples[::-1].copy()[::-1],
        "DLPack": Dlpack(samples),
    }


def test_every_kind_is_the_same_picture(net, path):
    expected = net.logits(path)
    assert expected.shape == (1, 10)
    for name, picture in kinds(path).items():
        assert np.array_equal(net.logits(picture), expected), name
    several = [picture for name, picture in kinds(path).items() if name != "[1, H, W, 3]"]
    assert np.array_equal(net.logits(several), np.repeat(expected, len(several), axis=0))


def test_every_kind_of_tensor_is_the_same(net, tensors):
    expected = net.logits(tensors)
    read_only = tensors.copy()
    read_only.flags.writeable = False
    for name, several in {
        "list": list(tensors),
        "tuple": tuple(tensors),
        "iterator": iter(tensors),
        "generator": (tensor for tensor in tensors),
        "read-only": read_only,
        "not contiguous": np.asfortranarray(tensors),
        "a part": np.concatenate([tensors, tensors])[:5],
        "DLPack": Dlpack(tensors),
    }.items():
        assert np.array_equal(net.logits(several), expected), name
    assert np.array_equal(net.logits(tensors[0]), expected[:1]) and np.array_equal(net.logits(tensors[:1]), expected[:1])


def test_columns_of_data_frames_are_lists(net, paths):
    expected = net.logits(paths[:3])
    contents = [pathlib.Path(path).read_bytes() for path in paths[:3]]
    for column in (np.array(paths[:3]), np.array(paths[:3], dtype=object), np.array(contents, dtype=object)):
        assert np.array_equal(net.logits(column), expected)


def test_an_iterator_is_taken_as_it_is_needed(paths):
    """A run never holds more than the devices can be ahead."""
    with dn.Classifier("digits", batch=2) as net:
        taken = finished = most = 0

        def pictures():
            nonlocal taken, most
            for path in paths * 5:
                taken += 1
                most = max(most, taken - finished)
                yield path

        def moved(count):
            nonlocal finished
            finished += count

        assert len(net._opened().classify(pictures(), 1, False, moved)) == taken == finished == 200
        assert most < 40, most


def test_an_iterators_own_exception_comes_through(net, path):
    def pictures():
        yield path
        yield path
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        net.classify(pictures())
    assert net.classify(path)[0][0].label == "7"


def test_a_size_of_its_own_is_each_pictures(net, tensors):
    large = np.pad(tensors[0], ((0, 0), (0, 32), (0, 0)))
    assert net.logits([tensors[0], large, tensors[1]]).shape == (3, 10)


FLOATS = np.zeros((3, 64, 64), np.float32)
BYTES = np.zeros((64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (3, "a path, the bytes of a file, a PIL picture, .*found int"),
        (None, "found NoneType"),
        ([3], "found int"),
        ([[FLOATS]], "expected a path, .*found list"),
        ([], "expected at least one picture, found none"),
        ((), "found none"),
        (iter([]), "found none"),
        (np.zeros((0, 3, 64, 64), np.float32), "found none"),
        (np.zeros((0, 64, 64, 3), np.uint8), "found none"),
        (FLOATS.astype(np.float64), r"uint8 pictures or float32 tensors, found float64 \[3, 64, 64\]; x.astype\(numpy.float32\)"),
        (FLOATS.astype(np.float16), r"found float16 .*; x.astype\(numpy.float32\)"),
        (FLOATS.astype(">f4"), r"found >f4 .*; x.astype\(numpy.float32\)"),
        (BYTES.astype(np.uint16), r"found uint16 .*scaled to 0..255"),
        (BYTES.astype(bool), r"found bool .*; x.astype\(numpy.uint8\) \* 255"),
        (FLOATS.astype(np.complex64), "found complex64"),
        (np.float32(3), r"found \[\]"),
        (FLOATS[0], r"\[3, H, W\] or \[N, 3, H, W\], found \[64, 64\]; x\[numpy.newaxis\] adds a channel"),
        (FLOATS[:1], r"found \[1, 64, 64\]"),
        (FLOATS[None, None], r"found \[1, 1, 3, 64, 64\]"),
        (FLOATS.transpose(1, 2, 0), r"found \[64, 64, 3\]; x.transpose\(2, 0, 1\)"),
        (FLOATS[None].transpose(0, 2, 3, 1), r"x.transpose\(0, 3, 1, 2\)"),
        ([FLOATS[None]], r"expected a float32 tensor .*found \[1, 3, 64, 64\]"),
        (BYTES.transpose(2, 0, 1), r"1 or 3 channels, found 64 channels in \[3, 64, 64\]; x.transpose\(1, 2, 0\)"),
        (np.zeros((8, 8, 4), np.uint8), r"found 4 channels .*; x\[..., :3\] leaves out alpha"),
        (BYTES[0, 0], r"\[H, W\], \[H, W, C\] or \[N, H, W, C\], found \[3\]"),
        ([BYTES[None]], r"one uint8 picture .*found \[1, 64, 64, 3\]"),
        (np.zeros((0, 4, 3), np.uint8), "expected 0x4 pixels"),
        (np.full((3, 64, 64), np.nan, np.float32), "expected finite numbers, found NaN at element 0"),
        (np.zeros((3, 2, 2), np.float32), "too small for this network"),
        (io.StringIO("text"), "binary mode"),
        (Image.new("I;16", (8, 8)), "8 bits, found mode 'I;16'|8 bits, found mode \"I;16\""),
        (Image.new("F", (8, 8)), "found mode"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_remedy(net, wrong, expected):
    with pytest.raises(dn.Error, match=expected) as refused:
        net.logits(wrong)
    assert isinstance(refused.value, (dn.InputError, dn.PictureError))


def test_a_picture_that_fails_costs_its_own_place(net, path, paths):
    sources = [path, "none.png", 3, b"no picture", np.zeros((3, 64, 65, 1), np.float32), str(ROOT), path]
    found = net.classify(sources, top_k=1, on_error="return")
    assert found[0] == found[6] == net.classify(path, top_k=1)[0]
    kinds = [type(one).__name__ for one in found[1:6]]
    assert kinds == ["PictureError", "InputError", "PictureError", "InputError", "PictureError"]
    assert [one.index for one in found[1:6]] == [1, 2, 3, 4, 5]
    assert str(found[1]).startswith("none.png: ") and "expected a picture, found a folder" in str(found[5])
    only_failures = net.classify(["none.png", 3], on_error="return")
    assert [one.index for one in only_failures] == [0, 1]
    [alone] = net.classify("none.png", on_error="return")
    assert isinstance(alone, dn.PictureError) and alone.index == 0


def test_otherwise_it_raises(net, path):
    with pytest.raises(dn.PictureError, match="^none.png: ") as failed:
        net.classify([path, path, "none.png", path])
    assert failed.value.index == 2 and failed.value.place == "none.png"
    with pytest.raises(dn.InputError, match="found int") as failed:
        net.logits([path, path, 3])
    assert failed.value.index == 2
    with pytest.raises(dn.InputError, match='expected "raise" or "return", found \'ignore\''):
        net.classify(path, on_error="ignore")


def test_pictures_are_turned_upright_where_asked(tmp_path, path):
    lying = Image.open(path).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "lying.png", exif=exif)
    with dn.Classifier("digits", upright=True) as net:
        expected = net.logits(path)
        assert np.array_equal(net.logits(tmp_path / "lying.png"), expected)
        assert np.array_equal(net.logits(Image.open(tmp_path / "lying.png")), expected)
