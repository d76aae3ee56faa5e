"""Write held-out digits, as pictures to try and as fixtures for the tests.

    python scripts/make_digits_fixtures.py      # after train_digits.py

Writes

    examples/digits/<label>-<index>-8.png       two images of each digit, 8x8
    examples/digits/<label>-<index>-64.png      two more of each, enlarged to 64x64
    tests/fixtures/digits/heldout.npy           the 360 images, uint8 [360, 8, 8]
    tests/fixtures/digits/labels.npy            their labels, uint8 [360]
    tests/fixtures/digits/logits.npy            the model's logits, float32 [360, 10]

where index is the image's place in `sklearn.datasets.load_digits()`.
"""

import numpy as np
import torch
from PIL import Image
from train_digits import ROOT, SIZE, TRAINING_IMAGES, load_images, load_model, to_pixels

EXAMPLES = ROOT / "examples" / "digits"
FIXTURES = ROOT / "tests" / "fixtures" / "digits"


def write_examples(images, labels):
    """Write the first four images of each digit, half of them enlarged."""
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    for label in range(10):
        for number, index in enumerate(np.flatnonzero(labels == label)[:4]):
            picture = Image.fromarray(images[index])
            if number >= 2:
                picture = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            name = f"{label}-{TRAINING_IMAGES + index}-{picture.width}.png"
            picture.save(EXAMPLES / name, optimize=True)


def write_fixtures(images, labels):
    """Write the images, their labels and the logits that PyTorch computes for them."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    model, mean, std = load_model()
    # Normalise in float32, as in training; run the network in float64.
    inputs = (to_pixels(images) - mean) / std
    with torch.inference_mode():
        logits = model.double()(inputs.double()).float()
    np.save(FIXTURES / "heldout.npy", images)
    np.save(FIXTURES / "labels.npy", labels.astype(np.uint8))
    np.save(FIXTURES / "logits.npy", logits.numpy())


def main():
    """Write examples and fixtures from the held-out images."""
    torch.set_num_threads(2)
    images, labels = load_images()
    images, labels = images[TRAINING_IMAGES:], labels[TRAINING_IMAGES:]
    write_examples(images, labels)
    write_fixtures(images, labels)


if __name__ == "__main__":
    main()
