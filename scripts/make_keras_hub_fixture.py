"""Write the weights of KerasHub's DenseNet, which pads less on one side, as a fixture for the tests.

    KERAS_BACKEND=jax python scripts/make_keras_hub_fixture.py

Writes tests/fixtures/checkpoints/keras-hub.zip

    keras-hub.weights.h5    a backbone of [2, 1] layers, as save_weights writes it
    keras-hub-bare.h5       the same weights without a layer's name, as Keras wrote them before it stored names
"""

import tempfile
import zipfile
from pathlib import Path

import h5py
from keras_hub.models import DenseNetBackbone

OUTPUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "checkpoints" / "keras-hub.zip"
WHEN = (1980, 1, 1, 0, 0, 0)


def without_names(path):
    """Take the layers' own names out of a file, and the groups of layers without weights."""
    with h5py.File(path, "r+") as file:
        for name, group in list(file["layers"].items()):
            if len(group["vars"]) == 0:
                del file["layers"][name]
            else:
                group["vars"].attrs.clear()


def main():
    backbone = DenseNetBackbone([2, 1], growth_rate=4, image_shape=(64, 64, 3))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(OUTPUT, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, change in [("keras-hub.weights.h5", None), ("keras-hub-bare.h5", without_names)]:
            path = Path(folder) / "saved.weights.h5"
            backbone.save_weights(path, overwrite=True)
            if change:
                change(path)
            archive.writestr(zipfile.ZipInfo(name, WHEN), path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
