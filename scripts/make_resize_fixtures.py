"""Write what OpenCV, TensorFlow and MONAI make of a picture, as fixtures for the tests.

    pip install -r scripts/requirements-resize.txt
    python scripts/make_resize_fixtures.py

Reads tests/fixtures/pillow/source.png, 61x43 pixels, and writes into tests/fixtures/pillow

    interpolated.npz    by "<filter>-<source>-<width>x<height>": the picture resized, float32
                        [H, W, 3], the filter as `--resize` calls it and the source opencv,
                        tensorflow or torch (what MONAI's Resize of tensors calls)
                        by preset: its whole chain, to 24x32 pixels, float32 [3, 32, 24]; MONAI's is
                        of the luma, [1, 32, 24]
"""

from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
import torch
from monai.transforms import Compose, Resize, ScaleIntensity
from PIL import Image

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "pillow"

SIZES = [(24, 32), (8, 8), (1, 1), (61, 60), (70, 7), (3, 91)]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def opencv(picture, width, height, flag):
    """Return what cv2.resize makes of a uint8 picture."""
    return cv2.resize(picture, (width, height), interpolation=flag)


def torchs(picture, width, height, mode):
    """Return what torch's interpolate makes of a picture."""
    planes = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    return torch.nn.functional.interpolate(planes, (height, width), mode=mode)[0].permute(1, 2, 0).numpy()


def presets(picture, grey, width, height):
    """Return the input that each preset stands for, as its own framework computes it."""
    mean, std = (np.array(numbers, np.float32)[:, None, None] for numbers in (MEAN, STD))
    resized = cv2.resize(picture, (width, height))
    yield "opencv", (resized.transpose(2, 0, 1).astype(np.float32) / 255 - mean) / std
    resized = keras.layers.Resizing(height, width)(picture[None].astype(np.float32))
    prepared = keras.applications.densenet.preprocess_input(np.array(resized))
    yield "tensorflow", np.array(prepared)[0].transpose(2, 0, 1)
    chain = Compose([Resize((height, width), mode="bilinear"), ScaleIntensity()])
    yield "monai-tensor", chain(grey[None].astype(np.float32)).numpy()


def main():
    """Write all fixtures."""
    source = Image.open(FIXTURES / "source.png")
    picture, grey = np.asarray(source.convert("RGB")), np.asarray(source.convert("L"))
    arrays = {}
    for width, height in SIZES:
        size = f"{width}x{height}"
        for name, flag in [("linear", cv2.INTER_LINEAR), ("cubic", cv2.INTER_CUBIC), ("area", cv2.INTER_AREA)]:
            arrays[f"{name}-opencv-{size}"] = opencv(picture, width, height, flag)
        arrays[f"linear-tensorflow-{size}"] = tf.image.resize(picture, (height, width)).numpy()
        for name, mode in [("linear", "bilinear"), ("cubic", "bicubic"), ("adaptive_area", "area")]:
            arrays[f"{name}-torch-{size}"] = torchs(picture, width, height, mode)
    for name, tensor in presets(picture, grey, 24, 32):
        arrays[name] = tensor
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    np.savez_compressed(FIXTURES / "interpolated.npz", **arrays)


if __name__ == "__main__":
    main()
