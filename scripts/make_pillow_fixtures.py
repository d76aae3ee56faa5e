"""Write pictures and what Pillow and torchvision make of them, as fixtures for the tests.

    python scripts/make_pillow_fixtures.py

Writes into tests/fixtures/pillow

    <mode>.png                    one small picture of each kind of PNG
    modes.npz                     by mode: the picture as RGB, uint8 [H, W, 3]
    source.png                    a picture of 61x43 pixels to resize
    resized.npz                   by "<filter>-<width>x<height>": uint8 [H, W, 3]
    preprocessed.npz              by "<mode>-<size>-<filter>-<crop>-<channels>": uint8 [H, W, C],
                                  torchvision's Resize (or Pillow's pad) and CenterCrop, or
                                  TenCrop, one below the other; and
                                  "tensor": float32 [3, 37, 37], the normalised input
    random.npz                    by "<number>": pictures of random sizes and content, and by
                                  "<number>-<mode>-<size>-<filter>-<crop>-<channels>" what becomes
                                  of each

    huge.png                      the beginning of one of 60000x60000 pixels

16-bit grey is the one kind where Pillow is not copied: its convert("RGB") clips
everything above 255 to white, so the expected values are scaled by their range.
"""

import numpy as np
from PIL import Image, ImageOps
from timm.data.transforms import ResizeKeepRatio
from torchvision.transforms import v2
from torchvision.transforms._presets import ImageClassification
from torchvision.transforms.functional import InterpolationMode

from fixtures.picture import FOLDER, draw, png


FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
RESAMPLING = {
    "nearest": InterpolationMode.NEAREST,
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
    "lanczos": InterpolationMode.LANCZOS,
}
SIZES = [(61, 43), (8, 8), (1, 1), (64, 20), (100, 7), (61, 90), (30, 43), (122, 86), (3, 131)]


def write_modes():
    """Write one PNG for each mode, and what each is as RGB."""
    width, height = 11, 6
    grey, rgb = draw(width, height, 1, 1)[..., 0], draw(width, height, 3, 2)
    rgba, la = draw(width, height, 4, 3), draw(width, height, 2, 4)
    wide = np.random.default_rng(5).integers(0, 65536, (height, width)).astype(np.uint16)
    wide[0, :4] = [0, 128, 129, 65535]
    palette = Image.fromarray(rgb).quantize(13)
    transparent = Image.fromarray(rgb).quantize(7)
    pictures = {
        "L": Image.fromarray(grey),
        "LA": Image.fromarray(la, "LA"),
        "P": palette,
        "RGB": Image.fromarray(rgb),
        "RGBA": Image.fromarray(rgba, "RGBA"),
        "1": Image.fromarray(grey).convert("1"),
        "I;16": Image.fromarray(wide),
    }
    expected = {}
    for mode, picture in pictures.items():
        path = FOLDER / f"{mode.replace(';', '')}.png"
        picture.save(path)
        assert Image.open(path).mode == mode, (mode, Image.open(path).mode)
        expected[mode.replace(";", "")] = np.asarray(Image.open(path).convert("RGB"))
    scaled = ((wide.astype(np.uint32) + 128) // 257).astype(np.uint8)
    expected["I16"] = np.repeat(scaled[..., None], 3, axis=2)
    transparent.save(FOLDER / "P-transparent.png", transparency=2)
    expected["P-transparent"] = np.asarray(Image.open(FOLDER / "P-transparent.png").convert("RGB"))
    wide = np.random.default_rng(6).integers(0, 65536, (height, width, 3))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in wide)
    (FOLDER / "RGB16.png").write_bytes(png(width, height, 16, 2, rows))
    expected["RGB16"] = np.asarray(Image.open(FOLDER / "RGB16.png").convert("RGB"))
    np.savez_compressed(FOLDER / "modes.npz", **expected)


def write_resized(source):
    """Write the source at many sizes."""
    resized = {
        f"{name}-{width}x{height}": np.asarray(source.resize((width, height), resampling))
        for name, resampling in FILTERS.items()
        for width, height in SIZES
    }
    np.savez_compressed(FOLDER / "resized.npz", **resized)


def write_preprocessed(source):
    """Write what torchvision's Resize and CenterCrop make of the source."""
    expected = {}
    for size, crop in [(32, 28), (37, 37), (20, 33), (17, 12), (50, 61)]:
        for name in ["bilinear", "bicubic"]:
            for channels, mode in [(3, "RGB"), (1, "L")]:
                transform = v2.Compose([v2.Resize(size, InterpolationMode(name)), v2.CenterCrop(crop)])
                picture = np.asarray(transform(source.convert(mode)))
                expected[f"short_side-{size}-{name}-{crop}-{channels}"] = picture.reshape(crop, crop, channels)
    for height, width in [(64, 64), (16, 48)]:
        picture = source.resize((width, height), Image.Resampling.BICUBIC)
        expected[f"squash-{height}x{width}-bicubic-whole-3"] = np.asarray(picture)
    for size, crop in [(32, "whole"), (33, "whole"), (37, 28), (20, 33), (61, 43)]:
        picture = ImageOps.pad(source, (size, size), Image.Resampling.BICUBIC)
        picture = picture if crop == "whole" else v2.CenterCrop(crop)(picture)
        expected[f"long_side-{size}-bicubic-{crop}-3"] = np.asarray(picture)
    for size, crop in [(40, 28), (37, 37), (41, 30)]:
        crops = v2.Compose([v2.Resize(size), v2.TenCrop(crop)])(source)
        expected[f"ten_crop-{size}-bilinear-{crop}-3"] = np.concatenate([np.asarray(picture) for picture in crops])
    preset = ImageClassification(crop_size=37, resize_size=40, antialias=True)
    expected["tensor"] = preset(source).numpy()
    np.savez_compressed(FOLDER / "preprocessed.npz", **expected)


def write_random():
    """Write pictures of random sizes, and each with a random filter in every mode."""
    random = np.random.default_rng(51)
    arrays = {}
    for number in range(40):
        width, height, to_width, to_height, crop = (int(side) for side in random.integers(1, 48, 5))
        channels = int(random.choice([1, 3]))
        name = str(random.choice(list(FILTERS)))
        samples = draw(width, height, channels, number) if number % 2 else random.integers(0, 256, (height, width, channels), np.uint8)
        picture = Image.fromarray(samples if channels == 3 else samples[..., 0])
        short = v2.Compose([v2.Resize(to_width, RESAMPLING[name]), v2.CenterCrop(crop)])
        covering = ResizeKeepRatio((to_height, to_width), interpolation=name)
        padded = ImageOps.pad(picture, (to_width, to_width), FILTERS[name])
        arrays[f"{number}"] = samples
        for key, result in {
            f"squash-{to_height}x{to_width}-{name}-whole": picture.resize((to_width, to_height), FILTERS[name]),
            f"short_side-{to_width}-{name}-{crop}": short(picture),
            f"cover-{to_height}x{to_width}-{name}-{crop}": v2.CenterCrop(crop)(covering(picture)),
            f"long_side-{to_width}-{name}-whole": padded,
            f"long_side-{to_width}-{name}-{crop}": v2.CenterCrop(crop)(padded),
        }.items():
            result = np.asarray(result)
            arrays[f"{number}-{key}-{channels}"] = result.reshape(*result.shape[:2], channels)
    np.savez_compressed(FOLDER / "random.npz", **arrays)


def main():
    """Write all fixtures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_modes()
    (FOLDER / "huge.png").write_bytes(png(60000, 60000, 1, 0, bytes(7501)))
    Image.fromarray(draw(61, 43, 3, 7)).save(FOLDER / "source.png")
    source = Image.open(FOLDER / "source.png")
    write_resized(source)
    write_preprocessed(source)
    write_random()


if __name__ == "__main__":
    main()
