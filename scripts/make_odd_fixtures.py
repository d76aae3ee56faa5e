"""Write pictures of kinds that are met seldom, and what Pillow makes of them, as fixtures for the tests.

    python scripts/make_odd_fixtures.py

Writes into tests/fixtures/pillow

    odd.zip     TIFF with a palette, by bits, byte order and compression; JPEG that ends too early
    odd.npz     by file: Pillow's convert("RGB"), uint8 [H, W, 3], of JPEG with
                LOAD_TRUNCATED_IMAGES
"""

import io
import struct

import numpy as np
from PIL import Image, ImageFile

from fixtures.picture import HEIGHT, WIDTH, draw, saved, write_files


def tiff_of(places, colours, bits, order):
    """Return a TIFF of [H, W] places in a palette of [2**bits, 3] colours of 16 bits, which Pillow does not write."""
    height, width = places.shape
    shifts = np.arange(bits - 1, -1, -1)
    rows = ((places[..., None] >> shifts) & 1).reshape(height, -1).astype(np.uint8)
    pixels = np.packbits(rows, axis=1).tobytes()
    palette = colours.T.astype(order + "u2").tobytes()
    short, long = 3, 4
    fields = [
        (256, long, 1, width),
        (257, long, 1, height),
        (258, short, 1, bits),
        (259, short, 1, 1),
        (262, short, 1, 3),
        (273, long, 1, 8),
        (277, short, 1, 1),
        (278, long, 1, height),
        (279, long, 1, len(pixels)),
        (320, short, 3 << bits, 8 + len(pixels)),
    ]
    entries = b""
    for tag, kind, count, value in fields:
        packed = struct.pack(order + ("H2x" if kind == short and count == 1 else "I"), value)
        entries += struct.pack(order + "HHI", tag, kind, count) + packed
    directory = struct.pack(order + "H", len(fields)) + entries + bytes(4)
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(pixels) + len(palette))
    return header + pixels + palette + directory


def palettes():
    """Yield name and content of TIFFs with a palette."""
    random = np.random.default_rng(61)
    picture = Image.fromarray(draw(WIDTH, HEIGHT, 3, 62)).quantize(40)
    yield "palette.tif", saved(picture, "TIFF")
    yield "palette-lzw.tif", saved(picture, "TIFF", compression="tiff_lzw")
    yield "palette-deflate.tif", saved(picture, "TIFF", compression="tiff_adobe_deflate")
    yield "palette-6.tif", saved(picture, "TIFF", tiffinfo={0x0112: 6})
    for bits in [1, 2, 4, 8]:
        for order, name in [("<", "little"), (">", "big")]:
            places = random.integers(0, 1 << bits, (HEIGHT, WIDTH))
            yield f"palette-{bits}-{name}.tif", tiff_of(places, random.integers(0, 65536, (1 << bits, 3)), bits, order)


def cut_off():
    """Yield name and content of JPEGs that end too early."""
    width, height = 45, 35
    rgb = Image.fromarray(draw(width, height, 3, 63))
    grey = Image.fromarray(draw(width, height, 1, 64)[..., 0])
    kinds = {
        "grey": saved(grey, "JPEG", quality=80),
        "rgb-444": saved(rgb, "JPEG", quality=80, subsampling=0),
        "rgb-420": saved(rgb, "JPEG", quality=80, subsampling=2),
        "rgb-restarts": saved(rgb, "JPEG", quality=80, restart_marker_blocks=2),
        "rgb-progressive": saved(rgb, "JPEG", quality=80, progressive=True),
    }
    for name, content in kinds.items():
        for percent in [60, 80, 97]:
            yield f"{name}-{percent}.jpg", content[: len(content) * percent // 100]
        yield f"{name}-unended.jpg", content[:-2]


def read(content):
    """Return what Pillow makes of a file."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def main():
    """Write all fixtures."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    write_files("odd", [*palettes(), *cut_off()], read)


if __name__ == "__main__":
    main()
