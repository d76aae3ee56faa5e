"""Models of Keras 2 and 3, of Applications and made by hand, in each of their files."""

import importlib
import os
import subprocess
import sys

import numpy as np

from .layout import layout

SIZE = (64, 64)


def filled(model, seed):
    """Give a model weights, and statistics that matter."""
    drawn = np.random.default_rng(seed)
    weights = []
    for weight in model.weights:
        name, shape = getattr(weight, "path", weight.name), tuple(weight.shape)
        scale = (2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.2
        value = drawn.normal(size=shape) * scale
        weights.append(np.abs(value) + 0.6 if "variance" in name or "gamma" in name else value)
    model.set_weights(weights)
    return model


def logits(model, invert=None):
    """Return what a model computes of tensors as PyTorch has them; `invert` undoes its activation."""

    def of(x):
        answers = np.asarray(model(x.numpy().transpose(0, 2, 3, 1).astype("float32"), training=False), dtype="float64")
        return invert(answers) if invert else answers

    return of


def log(probabilities):
    """Undo a softmax but for a number that all logits share."""
    return np.log(probabilities)


def odds(probabilities):
    """Undo a sigmoid."""
    return np.log(probabilities) - np.log1p(-probabilities)


def application(keras, classes=4, activation=None, **options):
    """Return Applications' network with few layers."""
    options = dict(weights=None, input_shape=(*SIZE, 3), classes=classes, classifier_activation=activation) | options
    applications = importlib.import_module(f"{keras.__name__}.src.applications.densenet")
    return applications.DenseNet([2, 2, 2, 2], **options)


def save(model, path, ending):
    """Save a model or its weights, and return the path."""
    path = path.with_name(path.stem + ending)
    model.save_weights(path) if "weights" in ending else model.save(path)
    return path


@layout("Keras 3: Applications in Sequential with dropout and one sigmoid, .keras", says={"activation": "sigmoid"})
def sequential(path):
    import keras

    base = application(keras, include_top=False, pooling="avg")
    model = filled(keras.Sequential([base, keras.layers.Dropout(0.3), keras.layers.Dense(1, activation="sigmoid")]), 80)
    return logits(model, odds), save(model, path, ".keras")


@layout("Keras 3: a whole model of 16-bit mixed precision, .keras")
def mixed(path):
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    model = filled(application(keras), 81)
    keras.config.set_dtype_policy("float32")
    twin = application(keras)
    twin.set_weights(model.get_weights())
    return logits(twin), save(model, path, ".keras")


@layout("Keras 3: a whole model in HDF5, .h5")
def whole_h5(path):
    import keras

    model = filled(application(keras, classes=6), 82)
    return logits(model), save(model, path, ".h5")


@layout("Keras 3: weights alone, of one channel, .weights.h5", channels=1)
def weights(path):
    import keras

    model = filled(application(keras, input_shape=(*SIZE, 1)), 83)
    return logits(model), save(model, path, ".weights.h5")


@layout("Keras 3: means replaced by maxima, .keras", refused="Max")
def maxima(path):
    import keras

    base = application(keras, include_top=False, pooling="max")
    model = filled(keras.Sequential([base, keras.layers.Dense(3)]), 84)
    return logits(model), save(model, path, ".keras")


@layout("Keras 3: Flatten in place of means, .keras", refused="dense layer")
def flattened(path):
    import keras

    base = application(keras, include_top=False)
    model = filled(keras.Sequential([base, keras.layers.Flatten(), keras.layers.Dense(3)]), 85)
    return logits(model), save(model, path, ".keras")


@layout("Keras 3: a network of CIFAR's written by hand, .keras", size=(32, 32), is_shifted=True)
def cifar(path):
    import keras
    from keras import layers

    def conv(x, filters, size):
        return layers.Conv2D(filters, size, padding="same", use_bias=False)(x)

    def norm(x):
        return layers.Activation("relu")(layers.BatchNormalization(epsilon=1.1e-5)(x))

    picture = keras.Input((32, 32, 3))
    x = conv(picture, 8, 3)
    for block in range(3):
        for _ in range(2):
            x = layers.concatenate([x, layers.Dropout(0.2)(conv(norm(conv(norm(x), 16, 1)), 4, 3))])
        if block < 2:
            x = layers.AveragePooling2D(2, strides=2)(conv(norm(x), x.shape[-1] // 2, 1))
    x = layers.GlobalAveragePooling2D()(norm(x))
    model = filled(keras.Model(picture, layers.Dense(10, activation="softmax")(x)), 86)
    return logits(model, log), save(model, path, ".keras")


def one_output(path):
    """Do what the message about several outputs says."""
    import keras

    model, out = keras.models.load_model(path), path.with_name("one.keras")
    keras.Model(model.input, model.get_layer("age").output).save(out)
    return out


@layout("Keras 3: two outputs, .keras", refused='get_layer("age")', mend=one_output)
def outputs(path):
    import keras

    base = application(keras, include_top=False, pooling="avg")
    heads = [keras.layers.Dense(count, name=name)(base.output) for name, count in (("age", 3), ("sex", 2))]
    model = filled(keras.Model(base.input, heads), 87)
    return logits(keras.Model(base.input, heads[0])), save(model, path, ".keras")


def own_class():
    """Return a model of a class of its own, around Applications'."""
    import keras

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.base, self.fc = application(keras, include_top=False, pooling="avg"), keras.layers.Dense(3)

        def call(self, x, training=False):
            return self.fc(self.base(x, training=training))

    model = Net()
    model(np.zeros((1, *SIZE, 3), "float32"))
    return filled(model, 89)


def weights_saved(path):
    """Do what the message about a class of its own says."""
    return save(own_class(), path, ".weights.h5")


@layout("Keras 3: a model of a class of its own, .keras", refused="save_weights", mend=weights_saved)
def subclassed(path):
    model = own_class()
    return logits(model), save(model, path, ".keras")


@layout("KerasHub's backbone in its ImageClassifier, .keras", refused="KerasHub")
def hub(path):
    import keras_hub

    backbone = keras_hub.models.DenseNetBackbone(stackwise_num_repeats=[2, 2, 2, 2], image_shape=(*SIZE, 3), growth_rate=32)
    model = filled(keras_hub.models.DenseNetImageClassifier(backbone, num_classes=3, preprocessor=None), 88)
    return logits(model), save(model, path, ".keras")


@layout("Keras 2: a whole model in HDF5, .h5")
def keras2_h5(path):
    import tf_keras

    model = filled(application(tf_keras, classes=6), 90)
    return logits(model), save(model, path, ".h5")


@layout("Keras 2: a backbone with its own head, weights alone, .h5", flags=("--head-layers", "linear,relu,dropout,linear"))
def keras2_weights(path):
    import tf_keras
    from tf_keras import layers

    base = application(tf_keras, include_top=False, pooling="avg")
    head = [layers.Dense(6, activation="relu"), layers.Dropout(0.5), layers.Dense(3)]
    model = filled(tf_keras.Sequential([base, *head]), 91)
    return logits(model), save(model, path, ".weights.h5")


@layout("Keras 2: a model in its own archive, .keras")
def keras2_archive(path):
    import tf_keras

    model = filled(application(tf_keras, classes=3), 92)
    return logits(model), save(model, path, ".keras")


def saved_as_h5(path):
    """Do what the message about a SavedModel says."""
    lines = "import sys, tensorflow as tf; tf.keras.models.load_model(sys.argv[1]).save(sys.argv[2])"
    out = path.with_name("saved.h5")
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1"}
    subprocess.run([sys.executable, "-c", lines, path, out], env=environment, check=True, capture_output=True)
    return out


@layout("Keras 2: a TensorFlow SavedModel", refused="TF_USE_LEGACY_KERAS", mend=saved_as_h5)
def saved_model(path):
    import tf_keras

    model = filled(application(tf_keras, classes=3), 93)
    folder = path.with_suffix("")
    model.save(folder, save_format="tf")
    return logits(model), folder


def checkpoint_as_h5(path):
    """Do what the message about a checkpoint's index says."""
    import tf_keras

    model, out = application(tf_keras, classes=3), path.with_name("loaded.h5")
    model.load_weights(path.with_suffix(""))
    model.save(out)
    return out


@layout("Keras 2: a TensorFlow checkpoint's index", refused="load_weights", mend=checkpoint_as_h5)
def tensorflow_checkpoint(path):
    import tf_keras

    model = filled(application(tf_keras, classes=3), 94)
    model.save_weights(path.with_suffix(""), save_format="tf")
    return logits(model), path.with_suffix(".index")
