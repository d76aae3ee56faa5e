"""Write pictures of every kind of file, and what Pillow makes of them, as fixtures for the tests.

    python scripts/make_kinds_fixtures.py

Writes into tests/fixtures/pillow

    kinds.zip       small pictures: PNG by mode, depth and interlacing; JPEG by colour,
                    sampling and coding; GIF, BMP, TIFF, WebP, PNM
    kinds.npz       by file: Pillow's convert("RGB"), uint8 [H, W, 3]
    oriented.zip    the same picture with an EXIF orientation, in each format that has one
    oriented.npz    by file: ImageOps.exif_transpose() of it, uint8 [H, W, 3]

As in make_pillow_fixtures.py, 16-bit grey is the one kind where Pillow is not copied.
"""

import io

import numpy as np
from PIL import Image, ImageOps

from fixtures.picture import HEIGHT, WIDTH, draw, png, saved, write_files

# Where each of Adam7's passes begins, and its steps.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def packed(samples, depth):
    """Return rows of [H, W * C] samples as PNG stores them, each with filter 0."""
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = bits.reshape(len(samples), -1).astype(np.uint8)
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)


def png_of(samples, depth, colour, interlaced=False, extra=()):
    """Return a PNG of [H, W, C] samples."""
    height, width, channels = samples.shape
    parts = [(0, 0, 1, 1)] if not interlaced else ADAM7
    rows = b""
    for left, top, across, down in parts:
        part = samples[top::down, left::across]
        if part.size:
            rows += packed(part.reshape(len(part), -1), depth)
    return png(width, height, depth, colour, rows, int(interlaced), extra)


def pngs():
    """Yield name and content of PNGs that Pillow writes seldom or never."""
    random = np.random.default_rng(11)
    depths = {GREY: [1, 2, 4, 8, 16], RGB: [8, 16], PALETTE: [1, 2, 4, 8], GREY_ALPHA: [8, 16], RGB_ALPHA: [8, 16]}
    names = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGB_ALPHA: "rgb-alpha"}
    for colour, name in names.items():
        for depth in depths[colour]:
            samples = random.integers(0, 1 << depth, (HEIGHT, WIDTH, CHANNELS[colour]))
            palette = [(b"PLTE", random.integers(0, 256, 3 << depth).astype(np.uint8).tobytes())] if colour == PALETTE else []
            # One colour is transparent: the first pixel's, or of a palette the second's, wholly and the third's by half.
            key = b"".join(int(value).to_bytes(2, "big") for value in samples[0, 0])
            key = {GREY: key, RGB: key, PALETTE: b"\xff\x00\x7f"[: 1 << depth]}.get(colour)
            for interlaced in [False, True]:
                suffix = "-interlaced" if interlaced else ""
                yield f"{name}-{depth}{suffix}.png", png_of(samples, depth, colour, interlaced, palette)
            if key is not None:
                extra = [*palette, (b"tRNS", key)]
                yield f"{name}-{depth}-transparent.png", png_of(samples, depth, colour, extra=extra)
    # A gamma, a background and significant bits change nothing.
    samples = random.integers(0, 256, (HEIGHT, WIDTH, 3))
    extra = [(b"gAMA", (45455).to_bytes(4, "big")), (b"sBIT", b"\5\6\5"), (b"bKGD", bytes(6))]
    yield "rgb-8-gamma.png", png_of(samples, 8, RGB, extra=extra)


def jpegs():
    """Yield name and content of JPEGs."""
    width, height = 45, 35
    rgb = Image.fromarray(draw(width, height, 3, 21))
    grey = Image.fromarray(draw(width, height, 1, 22)[..., 0])
    cmyk = Image.frombytes("CMYK", (width, height), draw(width, height, 4, 23).tobytes())
    yield "cmyk-420.jpg", saved(cmyk, "JPEG", quality=95, subsampling=2)
    for quality in [30, 95]:
        for name, sampling in [("444", 0), ("422", 1), ("420", 2)]:
            for coding in [False, True]:
                suffix = "-progressive" if coding else ""
                content = saved(rgb, "JPEG", quality=quality, subsampling=sampling, progressive=coding)
                yield f"rgb-{name}-{quality}{suffix}.jpg", content
        yield f"grey-{quality}.jpg", saved(grey, "JPEG", quality=quality)
        content = saved(cmyk, "JPEG", quality=quality)
        yield f"cmyk-{quality}.jpg", content
        # The same numbers as Adobe's other colour space.
        transform = content.index(b"Adobe") + 11
        yield f"ycck-{quality}.jpg", content[:transform] + b"\2" + content[transform + 1 :]
    yield "rgb-kept.jpg", saved(rgb, "JPEG", keep_rgb=True)
    yield "rgb-restarts.jpg", saved(rgb, "JPEG", restart_marker_blocks=2)
    yield "one-pixel.jpg", saved(rgb.crop((0, 0, 1, 1)), "JPEG")
    yield "appended.jpg", saved(rgb, "JPEG") + b"what an application left behind"


def others():
    """Yield name and content of GIF, BMP, TIFF, WebP and PNM."""
    rgb = Image.fromarray(draw(WIDTH, HEIGHT, 3, 31))
    rgba = Image.fromarray(draw(WIDTH, HEIGHT, 4, 32), "RGBA")
    grey = Image.fromarray(draw(WIDTH, HEIGHT, 1, 33)[..., 0])
    palette, bilevel = rgb.quantize(16), grey.convert("1")
    cmyk = Image.frombytes("CMYK", (WIDTH, HEIGHT), draw(WIDTH, HEIGHT, 4, 34).tobytes())
    wide = Image.fromarray(np.random.default_rng(35).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16))
    yield "palette.gif", saved(palette, "GIF")
    yield "grey.gif", saved(grey, "GIF")
    yield "transparent.gif", saved(palette, "GIF", transparency=3)
    yield "interlaced.gif", saved(palette, "GIF", interlace=1)
    moved = rgb.rotate(180).quantize(16)
    yield "animated.gif", saved(palette, "GIF", save_all=True, append_images=[moved], duration=50)
    yield "animated-transparent.gif", saved(palette, "GIF", save_all=True, append_images=[moved], transparency=2, disposal=2)
    for name, picture in [("rgb", rgb), ("grey", grey), ("palette", palette), ("bilevel", bilevel), ("rgba", rgba)]:
        yield f"{name}.bmp", saved(picture, "BMP")
        yield f"{name}.webp", saved(picture.convert("RGBA" if name == "rgba" else "RGB"), "WEBP", lossless=True)
    for name, picture in [("rgb", rgb), ("rgba", rgba), ("grey", grey), ("bilevel", bilevel), ("cmyk", cmyk), ("wide", wide)]:
        yield f"{name}.tif", saved(picture, "TIFF")
        yield f"{name}-lzw.tif", saved(picture, "TIFF", compression="tiff_lzw")
    yield "deflate.tif", saved(rgb, "TIFF", compression="tiff_adobe_deflate")
    yield "jpeg.tif", saved(rgb, "TIFF", compression="jpeg")
    for name, picture in [("rgb.ppm", rgb), ("grey.pgm", grey), ("bilevel.pbm", bilevel), ("wide.pgm", wide)]:
        yield name, saved(picture, "PPM")


def scaled(picture):
    """Return 16-bit grey as RGB: scaled by its range, not clipped."""
    grey = ((np.asarray(picture).astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def read(content):
    """Return what Pillow makes of a file."""
    picture = Image.open(io.BytesIO(content))
    return scaled(picture) if picture.mode.startswith("I") else np.asarray(picture.convert("RGB"))


def upright(content):
    """Return what Pillow makes of a file, turned as its EXIF data says."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def oriented():
    """Yield name and content of pictures with an orientation."""
    rgb = Image.fromarray(draw(WIDTH, HEIGHT, 3, 41))
    for orientation in range(1, 9):
        yield f"{orientation}.jpg", saved(rgb, "JPEG", exif=exif_of(orientation))
        yield f"{orientation}.png", saved(rgb, "PNG", exif=exif_of(orientation))
    yield "6.webp", saved(rgb, "WEBP", exif=exif_of(6), lossless=True)
    yield "6.tif", saved(rgb, "TIFF", tiffinfo={0x0112: 6})
    yield "grey-8.png", saved(rgb.convert("L"), "PNG", exif=exif_of(8))
    yield "none.jpg", saved(rgb, "JPEG")
    yield "damaged.jpg", saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    yield "nonsense.jpg", saved(rgb, "JPEG", exif=exif_of(9))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    yield "xmp-3.jpg", saved(rgb, "JPEG", xmp=xmp)


def exif_of(orientation):
    """Return EXIF data with that orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def main():
    """Write all fixtures."""
    write_files("kinds", [*pngs(), *jpegs(), *others()], read)
    write_files("oriented", list(oriented()), upright)


if __name__ == "__main__":
    main()
