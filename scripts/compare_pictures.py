"""Time a 12-megapixel JPEG on its way to the input tensor: this library beside Pillow and torchvision.

    cargo build --release --example picture_to_tensor
    python scripts/compare_pictures.py

One thread each, taking turns; the best of all rounds counts. Needs the packages of
scripts/requirements.txt. The picture is drawn here: waves of all lengths and noise, as a
photograph has them, 4000x3000 pixels, quality 90, 4:2:0.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.transforms._presets import ImageClassification

EXAMPLE = Path(__file__).resolve().parent.parent / "target" / "release" / "examples" / "picture_to_tensor"
ROUNDS = 20


def photograph(width, height):
    """Return a picture with smooth parts, fine detail and noise."""
    random = np.random.default_rng(77)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = []
    for _ in range(3):
        plane = 127 + random.normal(0, 6, (height, width)).astype(np.float32)
        for octave in range(12):
            across, down = random.normal(0, 0.02 * 1.6 ** (octave % 8), 2)
            plane += 40 / (1 + octave % 8) * np.sin(across * x + down * y + random.uniform(0, 6))
        planes.append(plane)
    return Image.fromarray(np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8))


def pillow(path, transform):
    """Return the milliseconds of decoding, of what follows, and of both."""
    begin = time.perf_counter()
    picture = Image.open(path)
    picture.load()
    decoded = time.perf_counter()
    # A JPEG of three channels is RGB: convert("RGB") would only copy it.
    transform(picture)
    end = time.perf_counter()
    return [1e3 * (decoded - begin), 1e3 * (end - decoded), 1e3 * (end - begin)]


def main():
    """Compare."""
    if not EXAMPLE.exists():
        sys.exit(f"expected {EXAMPLE}, found none: cargo build --release --example picture_to_tensor")
    torch.set_num_threads(1)
    transform = ImageClassification(crop_size=224)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photograph.jpg"
        photograph(4000, 3000).save(path, quality=90, subsampling=2)
        best = {"Pillow, torchvision": [float("inf")] * 3, "densenet_wgpu": [float("inf")] * 3}
        for _ in range(ROUNDS):
            theirs = np.min([pillow(path, transform) for _ in range(3)], axis=0)
            printed = subprocess.run([EXAMPLE, path, "3"], check=True, capture_output=True, text=True).stdout
            for name, found in [("Pillow, torchvision", theirs), ("densenet_wgpu", [float(word) for word in printed.split()])]:
                best[name] = np.minimum(best[name], found)
    print("|  | decode | resize, crop, normalise | both |")
    print("|---|---|---|---|")
    for name, times in best.items():
        print(f"| {name} | " + " | ".join(f"{found:.1f} ms" for found in times) + " |")
    ratios = best["densenet_wgpu"] / best["Pillow, torchvision"]
    print("| ratio | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


if __name__ == "__main__":
    main()
