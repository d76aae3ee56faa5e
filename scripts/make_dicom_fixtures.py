"""Write small DICOM files, and what pydicom and torchxrayvision make of them, as fixtures for the tests.

    python scripts/make_dicom_fixtures.py

Writes into tests/fixtures/dicom

    files.zip      DICOM files, each named after its peculiarity, written by pydicom; JPEG
                   data in them are GDCM's, Pillow's or imagecodecs'
    pictures.npz   by file: the picture as RGB, uint8 [H, W, 3], from pydicom's pixel_array:
                   grey by the range of the stored bits, the Modality LUT before it where it is
                   a table; by "<file>-voi", of those that have one: through apply_voi_lut
    xrv.npz        by file, of those that it takes: torchxrayvision's read_xray_dcm, float32
                   [H, W]; by "<file>-voi" with voi_lut=True
"""

import io
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from imagecodecs import jpeg8_decode, jpeg8_encode
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)
from torchxrayvision.utils import read_xray_dcm

from fixtures.dicom import COLUMNS, FOLDER, ROWS, dicom, expected, grey, recoded, saved
from fixtures.picture import draw


def table(first, bits, entries):
    """Return a sequence of one lookup table."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 2**16, first, bits])
    if len(entries) < 2**15:
        item.add_new("LUTData", "US", [int(entry) for entry in entries])
    else:
        item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return [item]


def natives():
    """Yield name and content of files whose pixel data are as they are."""
    for bits in [8, 10, 12, 14, 16]:
        yield f"grey-{bits}", saved(dicom(grey(bits), bits))
        yield f"inverted-{bits}", saved(dicom(grey(bits), bits, photometric="MONOCHROME1"))
        yield f"signed-{bits}", saved(dicom(grey(bits, signed=True), bits, signed=True))
    yield "bilevel", saved(dicom(grey(1), 1, allocated=1))
    yield "odd-bits", saved(dicom(grey(5), 5, allocated=16))
    yield "implicit", saved(dicom(grey(12, 2), 12, syntax=ImplicitVRLittleEndian))
    yield "big-endian", saved(dicom(grey(12, 3), 12, syntax=ExplicitVRBigEndian))
    yield "deflated", saved(dicom(grey(12, 4), 12, syntax=DeflatedExplicitVRLittleEndian))
    bytes_in_words = dicom(grey(8, 5), 8, syntax=ExplicitVRBigEndian)
    swapped = np.frombuffer(bytes_in_words.PixelData, np.uint8).reshape(-1, 2)[:, ::-1]
    bytes_in_words.PixelData = swapped.tobytes()
    bytes_in_words["PixelData"].VR = "OW"
    yield "big-endian-bytes", saved(bytes_in_words)
    yield "high-bit", saved(dicom(grey(12, 6) << 4, 12, HighBit=15))
    yield "overlaid", saved(dicom(grey(12, 7) | (grey(1, 8) << 12), 12))
    yield "three-frames", saved(dicom(np.stack([grey(12, 9), grey(12, 10), grey(12, 11)]), 12, NumberOfFrames=3))
    nested = Dataset()
    nested.update({"Rows": 1, "Columns": 2, "WindowCenter": 3, "WindowWidth": 4, "PixelData": b"\1\2"})
    nested["PixelData"].VR = "OW"
    yield "icon", saved(dicom(grey(12, 12), 12, IconImageSequence=[nested]))


def colours():
    """Yield name and content of files in colour."""
    rgb = draw(COLUMNS, ROWS, 3, 21)
    yield "rgb", saved(dicom(rgb, 8, photometric="RGB"))
    yield "rgb-planar", saved(dicom(rgb.transpose(2, 0, 1)[..., None], 8, photometric="RGB", SamplesPerPixel=3, PlanarConfiguration=1))
    yield "ybr", saved(dicom(rgb, 8, photometric="YBR_FULL"))
    pairs = rgb.reshape(ROWS, COLUMNS // 2, 2, 3)
    halved = np.concatenate([pairs[:, :, 0, :1], pairs[:, :, 1, :1], pairs[:, :, 0, 1:]], axis=-1)
    yield "ybr-422", saved(dicom(halved[..., None], 8, photometric="YBR_FULL_422", SamplesPerPixel=3, PlanarConfiguration=0))
    for name, first, entries, depth in [("palette", 0, 256, 16), ("palette-offset", 10, 100, 16), ("palette-bytes", 0, 256, 8)]:
        data = dicom(grey(8, 22), 8, photometric="PALETTE COLOR")
        for seed, colour in enumerate(["Red", "Green", "Blue"]):
            numbers = np.random.default_rng(seed).integers(0, 2**depth, entries)
            setattr(data, f"{colour}PaletteColorLookupTableDescriptor", [entries, first, depth])
            setattr(data, f"{colour}PaletteColorLookupTableData", numbers.astype(f"<u{depth // 8}").tobytes())
        yield name, saved(data)


def tables():
    """Yield name and content of files with a Modality LUT, a VOI LUT or a window."""
    window = {"WindowCenter": "700", "WindowWidth": "1001"}
    yield "window", saved(dicom(grey(12, 31), 12, **window))
    yield "window-inverted", saved(dicom(grey(12, 32), 12, photometric="MONOCHROME1", **window))
    yield "window-exact", saved(dicom(grey(12, 33), 12, VOILUTFunction="LINEAR_EXACT", **window))
    yield "window-sigmoid", saved(dicom(grey(12, 34), 12, VOILUTFunction="SIGMOID", **window))
    yield "window-of-one", saved(dicom(grey(12, 35), 12, WindowCenter="700", WindowWidth="1"))
    yield "windows", saved(dicom(grey(12, 36), 12, WindowCenter=["300.5", "9"], WindowWidth=["777.25", "9"]))
    rescale = {"RescaleSlope": "0.5", "RescaleIntercept": "-1024", "RescaleType": "HU"}
    yield "rescaled", saved(dicom(grey(12, 37), 12, **rescale))
    yield "rescaled-window", saved(dicom(grey(12, 38), 12, WindowCenter="-40", WindowWidth="400", **rescale))
    yield "signed-window", saved(dicom(grey(12, 39, signed=True), 12, signed=True, WindowCenter="-40", WindowWidth="400"))
    bend = (np.linspace(0, 1, 900) ** 2 * 1023).astype(int)
    yield "voi-table", saved(dicom(grey(12, 40), 12, VOILUTSequence=table(500, 10, bend), **window))
    yield "voi-table-8", saved(dicom(grey(8, 41), 8, VOILUTSequence=table(20, 8, bend[::4] // 4)))
    yield "voi-table-whole", saved(dicom(grey(16, 42), 16, VOILUTSequence=table(0, 16, np.arange(2**16)[::-1] // 999 * 999)))
    yield "voi-table-signed", saved(dicom(grey(12, 43, signed=True), 12, signed=True, VOILUTSequence=table(-700, 10, bend)))
    implicit = dicom(grey(12, 44), 12, syntax=ImplicitVRLittleEndian, VOILUTSequence=table(500, 10, bend) + table(0, 8, [9, 9]))
    yield "voi-table-implicit", saved(implicit)
    yield "modality-table", saved(dicom(grey(12, 45), 12, ModalityLUTSequence=table(600, 16, bend * 64), WindowCenter="20000", WindowWidth="30001"))


def encoded():
    """Yield name and content of files whose pixel data are encoded."""
    for name, data in [
        ("8", dicom(grey(8, 51), 8)),
        ("12", dicom(grey(12, 52), 12)),
        ("signed", dicom(grey(12, 53, signed=True), 12, signed=True)),
        ("rgb", dicom(draw(COLUMNS, ROWS, 3, 54), 8, photometric="RGB")),
        ("three-frames", dicom(np.stack([grey(12, 9), grey(12, 10), grey(12, 11)]), 12, NumberOfFrames=3)),
    ]:
        data.compress(RLELossless, generate_instance_uid=False)
        yield f"rle-{name}", saved(data)
    yield "lossless-8", recoded(saved(dicom(grey(8, 61), 8)), "JPEGLosslessProcess14_1")
    yield "lossless-12", recoded(saved(dicom(grey(12, 62), 12)), "JPEGLosslessProcess14_1")
    yield "lossless-16", recoded(saved(dicom(grey(16, 63), 16)), "JPEGLosslessProcess14_1")
    yield "lossless-14", recoded(saved(dicom(grey(12, 64), 12, photometric="MONOCHROME1")), "JPEGLosslessProcess14")
    yield "lossless-rgb", recoded(saved(dicom(draw(COLUMNS, ROWS, 3, 65), 8, photometric="RGB")), "JPEGLosslessProcess14_1")
    yield "baseline", recoded(saved(dicom(grey(8, 66), 8)), "JPEGBaselineProcess1")
    wide = dicom(grey(12, 67), 12)
    wide.file_meta.TransferSyntaxUID = JPEGExtended12Bit
    wide.PixelData = encapsulate([jpeg8_encode(grey(12, 67).astype(np.uint16), level=90, bitspersample=12)])
    yield "extended-12", saved(wide)
    yield "baseline-colour", recoded(saved(dicom(draw(COLUMNS, ROWS, 3, 68), 8, photometric="RGB")), "JPEGBaselineProcess1")
    chroma = dicom(draw(COLUMNS, ROWS, 3, 69), 8, photometric="YBR_FULL_422")
    chroma.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    chroma.PixelData = encapsulate([jpeg(draw(COLUMNS, ROWS, 3, 69), subsampling="4:2:2")])
    yield "baseline-422", saved(chroma)
    frames = [jpeg(grey(8, seed)) for seed in [69, 70]]
    several = dicom(np.stack([grey(8, 69), grey(8, 70)]), 8, NumberOfFrames=2)
    several.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    several.PixelData = encapsulate(frames, fragments_per_frame=3, has_bot=False)
    yield "baseline-fragments", saved(several)


def jpeg(samples, **options):
    """Return samples as a JPEG file."""
    content = io.BytesIO()
    Image.fromarray(samples.astype(np.uint8)).save(content, "JPEG", quality=90, **options)
    return content.getvalue()


def refused():
    """Yield name and content of files that are refused by name."""
    report = dicom(grey(8, 73), 8)
    del report.PixelData
    yield "no-pixels", saved(report)
    yield "no-rows", saved(dicom(grey(8, 74), 8, Rows=0))
    yield "huge", saved(dicom(grey(8, 75), 8, Rows=65535, Columns=65535))
    yield "short", saved(dicom(grey(8, 76), 8, Rows=2000, Columns=2000))
    yield "slopeless", saved(dicom(grey(8, 77), 8, RescaleSlope="0", RescaleIntercept="0"))
    floats = dicom(grey(8, 78), 8)
    del floats.PixelData
    floats.FloatPixelData = np.zeros(ROWS * COLUMNS, np.float32).tobytes()
    yield "floats", saved(floats)
    yield "wide", saved(dicom(grey(16, 79), 32, allocated=32))
    yield "partial", saved(dicom(draw(COLUMNS, ROWS, 3, 80), 8, photometric="YBR_PARTIAL_420"))
    yield "bits", saved(dicom(grey(8, 81), 8, BitsStored=9))
    yield "windowless", saved(dicom(grey(8, 82), 8, WindowCenter="1", WindowWidth="0"))


def main():
    """Write all fixtures."""
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    pictures, radiographs = {}, {}
    with zipfile.ZipFile(FOLDER / "files.zip", "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.dcm")
        for name, content in refused():
            archive.writestr(zipfile.ZipInfo(f"refused/{name}"), content, zipfile.ZIP_DEFLATED)
        for name, content in [*natives(), *colours(), *tables(), *encoded()]:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            path.write_bytes(content)
            data = dcmread(path)
            if data.file_meta.TransferSyntaxUID == JPEGExtended12Bit:  # which pydicom has no decoder for
                data = dicom(jpeg8_decode(next(generate_frames(data.PixelData, number_of_frames=1))), 12)
            has_voi = "WindowCenter" in data or "VOILUTSequence" in data
            for suffix, voi in [("", False), ("-voi", True)][: 1 + has_voi]:
                pictures[name + suffix] = expected(data, voi)
                try:
                    radiograph = read_xray_dcm(path, voi_lut=voi)
                except (NotImplementedError, RuntimeError, ValueError):
                    continue
                if radiograph.ndim == 2:
                    radiographs[name + suffix] = radiograph
    np.savez_compressed(FOLDER / "pictures.npz", **pictures)
    np.savez_compressed(FOLDER / "xrv.npz", **radiographs)


if __name__ == "__main__":
    main()
