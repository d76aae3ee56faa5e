"""Train the small DenseNet of this repository on real handwritten digits.

Writes models/digits.safetensors and its model card models/digits.md:

    python scripts/train_digits.py              # train, evaluate once, write both
    python scripts/train_digits.py --validate   # tune: 5 folds inside the training images
    python scripts/train_digits.py --check      # evaluate the existing file

The data are the 1,797 images of `sklearn.datasets.load_digits()`. The first
1,437 are for training (and for tuning, with --validate); the last 360 are held
out and serve for nothing but the final evaluation.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import PIL
import safetensors
import sklearn
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "digits.safetensors"
CARD = ROOT / "models" / "digits.md"

TRAINING_IMAGES = 1437  # the rest, 360, are held out
REQUIRED_CORRECT = 357  # of those 360: 99 %
SIZE = 64  # side of the network's input, in pixels

SEED = 0
EPOCHS = 30
BATCH = 32
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.01
LABEL_SMOOTHING = 0.05

# Augmentation: the largest rotation and shear (radians), change of scale
# (fraction) and shift (fraction of the image's side).
ROTATION = 0.09
SHEAR = 0.08
SCALE = 0.05
SHIFT = 0.03


# Data


def load_images():
    """Return all images as uint8 [1797, 8, 8] and their labels as int64 [1797]."""
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)
    return images, digits.target.astype(np.int64)


def resize(image):
    """Scale one uint8 [8, 8] image to the network's input size, as an RGB picture."""
    picture = Image.fromarray(image).convert("RGB")
    return picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def to_pixels(images):
    """Turn uint8 [N, 8, 8] images into a float32 tensor [N, 3, 64, 64] in 0..1."""
    pixels = np.stack([np.asarray(resize(image)) for image in images])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 255


def statistics(pixels):
    """Return the mean and standard deviation of all pixels, to 4 decimals."""
    values = pixels.double()
    return round(values.mean().item(), 4), round(values.std(correction=0).item(), 4)


def augment(pixels, generator):
    """Rotate, shear, scale and shift every image by its own small random amount."""

    def uniform(limit):
        return (2 * torch.rand(len(pixels), generator=generator) - 1) * limit

    angle, shear = uniform(ROTATION), uniform(SHEAR)
    scale_x, scale_y = 1 + uniform(SCALE), 1 + uniform(SCALE)
    # The grid spans -1..1, twice the image's side taken as 1.
    shift_x, shift_y = uniform(2 * SHIFT), uniform(2 * SHIFT)
    sin, cos = torch.sin(angle), torch.cos(angle)
    row_x = torch.stack([cos * scale_x, (shear - sin) * scale_x, shift_x], dim=1)
    row_y = torch.stack([sin * scale_y, cos * scale_y, shift_y], dim=1)
    affine = torch.stack([row_x, row_y], dim=1)
    grid = F.affine_grid(affine, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, align_corners=False)


# Model


def build_model():
    """Return the untrained network."""
    return torchvision.models.DenseNet(
        growth_rate=8,
        block_config=(3, 4, 3),
        num_init_features=16,
        bn_size=4,
        num_classes=10,
    )


def train(pixels, labels, mean, std, report=True):
    """Train a new network for a fixed number of epochs and return it."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    # This memory layout is faster on the CPU.
    model = build_model().train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    # Drop the last, incomplete batch of an epoch: every batch norm sees full batches.
    batches = len(pixels) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LEARNING_RATE, total_steps=EPOCHS * batches
    )
    for epoch in range(EPOCHS):
        order = torch.randperm(len(pixels), generator=generator)
        total = 0.0
        for batch in order[: batches * BATCH].split(BATCH):
            inputs = (augment(pixels[batch], generator) - mean) / std
            loss = F.cross_entropy(
                model(inputs), labels[batch], label_smoothing=LABEL_SMOOTHING
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if report:
            print(f"epoch {epoch + 1:2}/{EPOCHS}: loss {total / batches:.4f}", flush=True)
    return model.eval()


def count_correct(model, pixels, labels, mean, std):
    """Return how many images the network classifies correctly."""
    with torch.inference_mode():
        return (model((pixels - mean) / std).argmax(1) == labels).sum().item()


# Files


def describe(mean, std):
    """Return the description of the model that the file carries as metadata."""
    return {
        "labels": [str(digit) for digit in range(10)],
        "name": "digits",
        "preprocessing": {
            "activation": "softmax",
            "channels": 3,
            "crop": None,
            "mean": [mean] * 3,
            "range": "zero_one",
            "resize": {"filter": "bicubic", "mode": "squash", "size": [SIZE, SIZE]},
            "std": [std] * 3,
        },
    }


def save_model(model, mean, std):
    """Write the weights and the description to the model file."""
    state = model.state_dict()
    # Only training needs the counters of the batch norms.
    tensors = {
        name: tensor.contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    text = json.dumps(describe(mean, std), sort_keys=True, separators=(",", ":"))
    MODEL.parent.mkdir(exist_ok=True)
    save_file(tensors, MODEL, metadata={"densenet": text})


def load_model():
    """Read the model file; return the network and its mean and standard deviation."""
    with safetensors.safe_open(MODEL, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        preprocessing = json.loads(file.metadata()["densenet"])["preprocessing"]
    model = build_model()
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return model.eval(), preprocessing["mean"][0], preprocessing["std"][0]


def percent(correct, total):
    """Format a share as a percentage with two decimals."""
    return f"{100 * correct / total:.2f} %"


def write_card(model, mean, std, correct, total):
    """Write the model card."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    CARD.write_text(f"""\
# Model card: digits

`digits.safetensors` is a small DenseNet that reads one handwritten digit. It
is here so that the program has a real, trained model to run and to be tested
with; it is not a state-of-the-art digit reader.

| | |
|---|---|
| Architecture | torchvision `DenseNet(growth_rate=8, block_config=(3, 4, 3), num_init_features=16, bn_size=4, num_classes=10)` |
| Parameters | {parameters:,} |
| File | {MODEL.stat().st_size:,} bytes, float32, torchvision's state-dict names without `num_batches_tracked` |
| Accuracy | **{correct} of {total} held-out images ({percent(correct, total)})** |

## Intended input

One handwritten digit, light on dark, filling the picture. Any size: the picture
is squashed to {SIZE}x{SIZE} (bicubic, without keeping the aspect ratio), scaled to
0..1 and normalised with mean {mean} and standard deviation {std} in all three
channels. A grey picture is repeated into three channels. The file itself carries
this description (metadata key `densenet`) and the labels `0` to `9`.

## Data

*Optical Recognition of Handwritten Digits*, E. Alpaydin and C. Kaynak, UCI Machine
Learning Repository, <https://doi.org/10.24432/C50P49>, licensed under
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). The images come from
`sklearn.datasets.load_digits()`: the 1,797 images of the data set's test part,
8x8 pixels with values 0 to 16. Changes made here: the values are scaled to
0..255 (`round(v * 255 / 16)`) and the images enlarged to {SIZE}x{SIZE}.

The first {TRAINING_IMAGES:,} images, in the order of the data set, are for training. The
last {total} are held out: they served neither for training, nor for stopping, nor
for choosing a seed or a setting.

## Training

    python scripts/train_digits.py

{EPOCHS} epochs on the CPU, seed {SEED}, batches of {BATCH}, AdamW (weight decay
{WEIGHT_DECAY}) with a one-cycle learning rate of at most {LEARNING_RATE}, cross entropy with
label smoothing {LABEL_SMOOTHING}. Every image is augmented anew in every epoch: rotated by up
to {math.degrees(ROTATION):.0f} degrees, sheared by up to {SHEAR}, scaled by up to {100 * SCALE:.0f} % and shifted by up to
{100 * SHIFT:.0f} % of its side. The weights are those of the last epoch. The settings were
chosen by cross-validation inside the {TRAINING_IMAGES:,} training images
(`python scripts/train_digits.py --validate`).

Versions: torch {torch.__version__.split("+")[0]}, torchvision {torchvision.__version__.split("+")[0]}, scikit-learn {sklearn.__version__}, \
numpy {np.__version__},
Pillow {PIL.__version__}, safetensors {safetensors.__version__}. Another version or processor may give
slightly different weights.

`python scripts/train_digits.py --check` repeats the evaluation.

## Limits

- It always answers with one of ten digits, also for a letter, several digits or
  an empty picture; the probability is no measure of whether there is a digit.
- Dark ink on light paper must be inverted first.
- The training digits fill their frame. A digit with a wide margin, or one that is
  rotated by much more than the augmentation, is outside of what it has seen.
- The images come from few writers, none of them identified: some of the
  held-out images may be by a writer who also wrote training images. Expect a lower
  accuracy on other handwriting.
""")


# Commands


def validate():
    """Cross-validate inside the training images: 5 folds of consecutive images."""
    images, labels = load_images()
    pixels = to_pixels(images[:TRAINING_IMAGES])
    labels = torch.from_numpy(labels[:TRAINING_IMAGES])
    folds = torch.arange(TRAINING_IMAGES) * 5 // TRAINING_IMAGES
    correct = 0
    for fold in range(5):
        kept, left_out = folds != fold, folds == fold
        mean, std = statistics(pixels[kept])
        model = train(pixels[kept], labels[kept], mean, std, report=False)
        right = count_correct(model, pixels[left_out], labels[left_out], mean, std)
        print(f"fold {fold + 1}: {right} of {left_out.sum().item()}", flush=True)
        correct += right
    print(f"all folds: {correct} of {TRAINING_IMAGES} ({percent(correct, TRAINING_IMAGES)})")


def make():
    """Train on the training images and write the model file."""
    images, labels = load_images()
    pixels = to_pixels(images[:TRAINING_IMAGES])
    mean, std = statistics(pixels)
    print(f"mean {mean}, standard deviation {std}")
    start = time.monotonic()
    model = train(pixels, torch.from_numpy(labels[:TRAINING_IMAGES]), mean, std)
    print(f"trained in {time.monotonic() - start:.0f} s")
    save_model(model, mean, std)


def evaluate():
    """Evaluate the model file on the held-out images; return correct and total."""
    images, labels = load_images()
    model, mean, std = load_model()
    pixels = to_pixels(images[TRAINING_IMAGES:])
    correct = count_correct(
        model, pixels, torch.from_numpy(labels[TRAINING_IMAGES:]), mean, std
    )
    print(f"held out: {correct} of {len(pixels)} correct ({percent(correct, len(pixels))})")
    return correct, len(pixels)


def main():
    """Run the command that the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="evaluate the existing file")
    mode.add_argument("--validate", action="store_true", help="tune on the training images")
    options = parser.parse_args()

    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    if options.validate:
        validate()
        return
    if not options.check:
        make()
    correct, total = evaluate()
    if not options.check:
        model, mean, std = load_model()
        write_card(model, mean, std, correct, total)
    if correct < REQUIRED_CORRECT:
        raise SystemExit(f"at least {REQUIRED_CORRECT} are required")


if __name__ == "__main__":
    main()
