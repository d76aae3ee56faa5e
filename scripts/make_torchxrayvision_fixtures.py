"""Write a radiograph-like picture and what torchxrayvision makes of it, as a fixture for the tests.

    python scripts/make_torchxrayvision_fixtures.py

Writes tests/fixtures/torchxrayvision.npz

    wide, tall                    uint8 [H, W, 1], grey pictures of 181x150 and 150x181 pixels
    wide-56, tall-56              float32 [56, 56], from -1024 to 1024: normalize, XRayCenterCrop
                                  and XRayResizer(56), with skimage
"""

from pathlib import Path

import numpy as np
from torchxrayvision.datasets import XRayCenterCrop, XRayResizer
from torchxrayvision.utils import normalize

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
SIDE = 56


def draw(width, height):
    """Return a uint8 [H, W] picture with smooth parts, edges and noise."""
    random = np.random.default_rng(width)
    y, x = np.mgrid[0:height, 0:width]
    smooth = 110 + 70 * np.sin(x / 23) * np.cos(y / 31) + 40 * ((x // 37 + y // 29) % 2)
    return np.clip(smooth + random.normal(0, 6, (height, width)), 0, 255).astype(np.uint8)


def main():
    arrays = {}
    for name, (width, height) in {"wide": (181, 150), "tall": (150, 181)}.items():
        picture = draw(width, height)
        arrays[name] = picture[:, :, None]
        arrays[f"{name}-{SIDE}"] = XRayResizer(SIDE)(XRayCenterCrop()(normalize(picture, 255)[None]))[0]
    np.savez_compressed(FIXTURES / "torchxrayvision.npz", **arrays)


if __name__ == "__main__":
    main()
