"""Write small DICOM files whose pixel data are JPEG-LS or JPEG 2000, and what pydicom makes of them.

    python scripts/make_dicom_coded_fixtures.py

Writes into tests/fixtures/dicom

    coded.zip    DICOM files, each named after its peculiarity; JPEG-LS in them is CharLS's
                 (pyjpegls, GDCM), JPEG 2000 OpenJPEG's (imagecodecs, Pillow, GDCM);
                 "refused/..." has those that are not read; and JPEG 2000 pictures that are in no
                 DICOM file
    coded.npz    by file: the picture as RGB, uint8 [H, W, 3], as fixtures/dicom.py has it, decoded
                 by CharLS and OpenJPEG; of those in no DICOM file, by Pillow
"""

import io
import zipfile

import jpeg_ls
import numpy as np
from imagecodecs import jpeg2k_encode
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless

from fixtures.dicom import COLUMNS, FOLDER, ROWS, dicom, expected, grey, recoded, saved
from fixtures.picture import draw


def coded(data, syntax, frames, **fragments):
    """Return a data set as a file with those encoded frames in place of its pixels."""
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([bytes(frame) + b"\0" * (len(frame) % 2) for frame in frames], **fragments)
    data["PixelData"].VR = "OB"
    return saved(data)


def container(numbers, bits):
    """Return numbers as the least numpy type that has so many bits, with a sign where one is negative."""
    return numbers.astype(("int" if numbers.min() < 0 else "uint") + ("8" if bits <= 8 else "16"))


def j2k(numbers, bits, **options):
    """Return numbers as a JPEG 2000 codestream, lossless unless a level in decibels is given."""
    options = {"codecformat": "J2K", "reversible": "level" not in options, "mct": False, **options}
    return jpeg2k_encode(container(numbers, bits), bitspersample=bits, resolutions=3, **options)


def pillow(samples, **options):
    """Return samples as a JPEG 2000 file."""
    content = io.BytesIO()
    Image.fromarray(samples).save(content, "JPEG2000", **options)
    return content.getvalue()


def jls(numbers, bits, **options):
    """Return numbers as JPEG-LS, of two's complements where one is negative."""
    return jpeg_ls.encode_array((numbers & (2**bits - 1)).astype("uint8" if bits <= 8 else "uint16"), **options)


def jpeg_ls_files():
    """Yield name and content of files of JPEG-LS."""
    for bits in [8, 10, 12, 16]:
        yield f"jpeg-ls-{bits}", coded(dicom(grey(bits, 101), bits), JPEGLSLossless, [jls(grey(bits, 101), bits)])
        near = jls(grey(bits, 102), bits, lossy_error=2)
        yield f"jpeg-ls-near-{bits}", coded(dicom(grey(bits, 102), bits, photometric="MONOCHROME1"), JPEGLSNearLossless, [near])
    signed = grey(12, 103, signed=True)
    yield "jpeg-ls-signed", coded(dicom(signed, 12, signed=True), JPEGLSLossless, [jls(signed, 12)])
    flat = np.full((ROWS, COLUMNS), 7)
    flat[5:, 9:] = 3000
    yield "jpeg-ls-flat", coded(dicom(flat, 12), JPEGLSLossless, [jls(flat, 12)])
    frames = [grey(12, seed) for seed in [104, 105, 106]]
    several = dicom(np.stack(frames), 12, NumberOfFrames=3)
    yield "jpeg-ls-three-frames", coded(several, JPEGLSLossless, [jls(frame, 12) for frame in frames], fragments_per_frame=3)
    yield "jpeg-ls-gdcm", recoded(saved(dicom(grey(12, 72), 12)), "JPEGLSLossless")


def jpeg_2000_files():
    """Yield name and content of files of JPEG 2000."""
    for bits in [8, 10, 12, 16]:
        yield f"jpeg-2000-{bits}", coded(dicom(grey(bits, 111), bits), JPEG2000Lossless, [j2k(grey(bits, 111), bits)])
        signed = grey(bits, 112, signed=True)
        yield f"jpeg-2000-signed-{bits}", coded(dicom(signed, bits, signed=True), JPEG2000Lossless, [j2k(signed, bits)])
    for bits in [8, 12, 16]:
        lossy = j2k(grey(bits, 113), bits, level=40)
        yield f"jpeg-2000-lossy-{bits}", coded(dicom(grey(bits, 113), bits, photometric="MONOCHROME1"), JPEG2000, [lossy])
    signed = grey(12, 114, signed=True)
    yield "jpeg-2000-lossy-signed", coded(dicom(signed, 12, signed=True), JPEG2000, [j2k(signed, 12, level=45)])
    rgb = draw(COLUMNS, ROWS, 3, 115)
    transformed = j2k(rgb, 8, mct=True)
    yield "jpeg-2000-rct", coded(dicom(rgb, 8, photometric="YBR_RCT"), JPEG2000Lossless, [transformed])
    yield "jpeg-2000-rct-called-rgb", coded(dicom(rgb, 8, photometric="RGB"), JPEG2000Lossless, [transformed])
    yield "jpeg-2000-rgb", coded(dicom(rgb, 8, photometric="RGB"), JPEG2000Lossless, [j2k(rgb, 8)])
    yield "jpeg-2000-ybr", coded(dicom(rgb, 8, photometric="YBR_FULL"), JPEG2000Lossless, [j2k(rgb, 8)])
    yield "jpeg-2000-lossy-ict", coded(dicom(rgb, 8, photometric="YBR_ICT"), JPEG2000, [j2k(rgb, 8, level=35, mct=True)])
    large = draw(90, 70, 3, 116)
    for order in ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]:
        tiled = pillow(large, no_jp2=True, irreversible=False, tile_size=(48, 37), progression=order, mct=1, quality_layers=[9, 0])
        yield f"jpeg-2000-tiles-{order.lower()}", coded(dicom(large, 8, photometric="YBR_RCT", Rows=70, Columns=90), JPEG2000Lossless, [tiled])
    precincts = pillow(large[..., 0], no_jp2=True, irreversible=True, precinct_size=(32, 32), codeblock_size=(16, 16), quality_layers=[5])
    yield "jpeg-2000-lossy-precincts", coded(dicom(large[..., 0], 8, Rows=70, Columns=90), JPEG2000, [precincts])
    frames = [grey(12, seed) for seed in [117, 118, 119]]
    several = dicom(np.stack(frames), 12, NumberOfFrames=3)
    yield "jpeg-2000-three-frames", coded(several, JPEG2000Lossless, [j2k(frame, 12) for frame in frames], fragments_per_frame=3)
    yield "jpeg-2000-boxed", coded(dicom(grey(12, 120), 12), JPEG2000Lossless, [j2k(grey(12, 120), 12, codecformat="JP2")])
    yield "jpeg-2000-gdcm", recoded(saved(dicom(grey(12, 71), 12)), "JPEG2000Lossless")


def refused():
    """Yield name and content of files that are refused by name."""
    rgb = draw(COLUMNS, ROWS, 3, 121)
    yield "jpeg-ls-rgb", coded(dicom(rgb, 8, photometric="RGB"), JPEGLSLossless, [jpeg_ls.encode_array(rgb, interleave_mode=2)])
    yield "jpeg-2000-rct-untransformed", coded(dicom(rgb, 8, photometric="YBR_RCT"), JPEG2000Lossless, [j2k(rgb, 8)])
    yield "jpeg-2000-ybr-transformed", coded(dicom(rgb, 8, photometric="YBR_FULL"), JPEG2000Lossless, [j2k(rgb, 8, mct=True)])
    yield "jpeg-2000-unsigned", coded(dicom(grey(10, 122), 12, signed=True), JPEG2000Lossless, [j2k(grey(10, 122), 10)])
    yield "jpeg-2000-size", coded(dicom(grey(8, 123), 8, Rows=ROWS + 1), JPEG2000Lossless, [j2k(grey(8, 123), 8)])


def main():
    """Write all fixtures."""
    pictures = {}
    with zipfile.ZipFile(FOLDER / "coded.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in refused():
            archive.writestr(zipfile.ZipInfo(f"refused/{name}"), content, zipfile.ZIP_DEFLATED)
        for name, content in [*jpeg_ls_files(), *jpeg_2000_files()]:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            pictures[name] = expected(dcmread(io.BytesIO(content)))
        rgb, alpha = draw(COLUMNS, ROWS, 3, 124), draw(COLUMNS, ROWS, 4, 125)
        alone = {"grey.jp2": rgb[..., 0], "rgb.jp2": rgb, "rgb.j2k": rgb, "alpha.jp2": alpha}
        for name, samples in alone.items():
            content = pillow(samples, irreversible=False, no_jp2=name.endswith("j2k"))
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            read = Image.open(io.BytesIO(content))
            pictures[name] = np.asarray(read.convert("RGB") if read.mode != "RGBA" else Image.merge("RGB", read.split()[:3]))
    np.savez_compressed(FOLDER / "coded.npz", **pictures)


if __name__ == "__main__":
    main()
