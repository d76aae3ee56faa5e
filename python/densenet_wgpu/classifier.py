"""A trained DenseNet on its devices."""

import atexit
import json
import os
import threading
import warnings
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from . import options, progress
from ._native import OpenClassifier
from .errors import ClosedError, DensenetWarning, Error, InputError
from .inspection import Inspection, inspect_stated
from .results import Assumption, Heatmap, Prediction, View

Pictures = Any
"""One picture or several: a path, the bytes of a file, an open binary file, a PIL picture, a uint8 array ``[H, W]``, ``[H, W, C]`` or
``[N, H, W, C]``, a float32 array ``[C, H, W]`` or ``[N, C, H, W]`` of what the network reads, anything that numpy makes such an array of
(torch's tensors), or an iterable of single ones."""

_living: "weakref.WeakSet[Classifier]" = weakref.WeakSet()


class Classifier:
    """A trained DenseNet on its devices, which takes pictures and gives answers.

    ``model`` is a checkpoint's path, the name of a bundled or published model (``"digits"``, ``"densenet121"``), or an ``hf://``
    address. All else goes by name, and is what the command line's flags of that name are:

    - ``device``: an index, a part of a name or a PCI address of :func:`devices`, ``"cpu"`` for the slow reference, or several of them.
      Otherwise it is what the variable ``DENSENET_DEVICE`` says, or the best GPU, or a software adapter if there is none.
    - ``software``: ``"warn"`` of a software adapter, ``"refuse"`` it on machines that are meant to have a GPU, or ``"allow"`` it.
    - ``precision``: ``"f32"``, ``"f16"``, or ``"auto"`` for 16 bits where they are right.
    - ``batch``: pictures at once on a device. ``batch_invariant``: the same bits in any batch.
    - ``preprocess``: a preset, a JSON file or a dictionary. ``size``: height and width of the network's input.
      ``activation``: ``"softmax"``, ``"sigmoid"`` or ``"none"``. ``labels``: a list, the name of one, a file or a folder.
    - ``ten_crops``: average ten crops of each picture. ``flip``: average it and its mirror image. ``average``: their
      ``"probabilities"`` or ``"logits"``. ``upright``: turn pictures as EXIF says. ``truncated``: decode damaged JPEG files as far as they go. ``voi_lut``: apply that of DICOM files. ``sample_range``: black and white of samples of more than 8 bits,
      or ``"auto"``. ``max_pixels``, ``max_bytes``: limits of decoding.
    - ``self_test``: test a device before its first use.
    - ``root``, ``head``, ``head_layers``, ``stem``, ``new_channels``, ``final_relu``, ``blur``, ``epsilon``: what a checkpoint cannot say
      about its network. ``features_only``: read it for :meth:`embed` alone, whatever its classifier is.
    - ``progress``: show the progress of a download.

    >>> import densenet_wgpu as dn
    >>> with dn.Classifier("digits") as net:
    ...     [best] = net.classify("examples/digits/7-1442-8.png", top_k=1)[0]
    >>> best.label, round(best.probability, 2)
    ('7', 0.97)

    Threads may share one. It can be pickled: a copy opens the model again when it is first used, from its absolute path. After a fork
    the child opens its own when it first uses it. Raises :class:`CheckpointError` if there is no such model or it cannot be read,
    :class:`DeviceError` if a device cannot be used, :class:`InputError` if an argument does not fit.
    """

    def __init__(
        self,
        model: "str | os.PathLike[str]",
        *,
        device: "int | str | Sequence[int | str] | None" = None,
        software: str = "warn",
        precision: str = "f32",
        batch: int = 16,
        batch_invariant: bool = False,
        preprocess: "str | os.PathLike[str] | Mapping[str, Any] | None" = None,
        activation: "str | None" = None,
        size: "int | tuple[int, int] | None" = None,
        labels: "str | os.PathLike[str] | Sequence[str] | None" = None,
        ten_crops: bool = False,
        flip: bool = False,
        average: str = "probabilities",
        upright: bool = False,
        truncated: bool = False,
        voi_lut: bool = False,
        sample_range: "tuple[int, int] | str | None" = None,
        max_pixels: "int | None" = None,
        max_bytes: "int | None" = None,
        self_test: bool = True,
        root: "str | None" = None,
        head: "str | None" = None,
        head_layers: "str | Sequence[str] | None" = None,
        stem: "str | None" = None,
        new_channels: "str | None" = None,
        features_only: bool = False,
        final_relu: bool = True,
        blur: bool = True,
        epsilon: "float | None" = None,
        progress: bool = False,
    ) -> None:
        stated = options.stated(
            device=device,
            software=software,
            precision=precision,
            batch=batch,
            batch_invariant=batch_invariant,
            preprocess=preprocess,
            activation=activation,
            size=size,
            labels=labels,
            ten_crops=ten_crops,
            flip=flip,
            average=average,
            upright=upright,
            truncated=truncated,
            voi_lut=voi_lut,
            sample_range=sample_range,
            max_pixels=max_pixels,
            max_bytes=max_bytes,
            self_test=self_test,
            root=root,
            head=head,
            head_layers=head_layers,
            stem=stem,
            new_channels=new_channels,
            features_only=features_only,
            final_relu=final_relu,
            blur=blur,
            epsilon=epsilon,
        )
        self._begin(options.found(model), stated)
        opened = self._opened("logits", progress)
        if labels is not None:
            # A copy elsewhere has no use for a file of labels.
            self._options["labels"] = opened.labels

    def _begin(self, model: str, stated: "dict[str, Any]") -> None:
        self._model = model
        self._options = stated
        self._is_closed = False
        self._has_warned = False
        self._lock = threading.Lock()
        self._open: "dict[str, OpenClassifier]" = {}
        _living.add(self)

    # What runs.

    @overload
    def classify(
        self, pictures: Pictures, top_k: int = 5, *, on_error: Literal["raise"] = "raise", progress: bool = False
    ) -> "list[list[Prediction]]": ...

    @overload
    def classify(
        self, pictures: Pictures, top_k: int = 5, *, on_error: Literal["return"], progress: bool = False
    ) -> "list[list[Prediction] | Error]": ...

    def classify(self, pictures: Pictures, top_k: int = 5, *, on_error: str = "raise", progress: bool = False) -> "list[Any]":
        """Returns the ``top_k`` likeliest classes of each picture, likeliest first: a list of lists, of one picture a list with one.

        A picture that cannot be read raises; with ``on_error="return"`` its place in the list has the exception, and the others have
        their classes. A lost device always raises.

        >>> import densenet_wgpu as dn
        >>> net = dn.Classifier("digits")
        >>> [[best], failed] = net.classify(["examples/digits/7-1442-8.png", "none.png"], 1, on_error="return")
        >>> best.label, type(failed).__name__, failed.index
        ('7', 'PictureError', 1)
        """
        if on_error not in ("raise", "return"):
            raise InputError(f'on_error: expected "raise" or "return", found {on_error!r}')
        with _bar(progress, pictures) as moved:
            rows = self._opened().classify(pictures, options.count("top_k", top_k), on_error == "return", moved)
        return [row if isinstance(row, Exception) else [Prediction(*ranked) for ranked in row] for row in rows]

    def logits(self, pictures: Pictures, *, progress: bool = False) -> "npt.NDArray[np.float32]":
        """Returns the network's outputs, float32 ``[N, classes]``; of several crops or mirror images ``[N, crops, classes]``.

        >>> import densenet_wgpu as dn
        >>> import numpy as np
        >>> net = dn.Classifier("digits")
        >>> net.logits(np.zeros((2, 3, 64, 64), np.float32)).shape
        (2, 10)
        """
        with _bar(progress, pictures) as moved:
            return self._opened().logits(pictures, moved)

    def probabilities(self, pictures: Pictures, *, progress: bool = False) -> "npt.NDArray[np.float64]":
        """Returns the probability of every class, float64 ``[N, classes]``: by softmax or sigmoids, as the model's activation says.

        Raises :class:`InputError` if nobody said what a logit is.

        >>> import densenet_wgpu as dn
        >>> float(dn.Classifier("digits").probabilities("examples/digits/7-1442-8.png").sum().round(6))
        1.0
        """
        with _bar(progress, pictures) as moved:
            return self._opened().probabilities(pictures, moved)

    def embed(self, pictures: Pictures, *, progress: bool = False) -> "npt.NDArray[np.float32]":
        """Returns the features, which the classifier layer reads, float32 ``[N, features]``; of several crops
        or mirror images ``[N, crops, features]``.

        The first call opens the model once more, with features, unless it was opened with ``features_only``.

        >>> import densenet_wgpu as dn
        >>> dn.Classifier("digits").embed(["examples/digits/7-1442-8.png"]).shape
        (1, 50)
        """
        with _bar(progress, pictures) as moved:
            return self._opened("features").embed(pictures, moved)

    def heatmaps(self, pictures: Pictures, top_k: int = 5, *, progress: bool = False) -> "list[Heatmap]":
        """Returns where in each picture each class was seen.

        The first call opens the model once more, with maps.

        >>> import densenet_wgpu as dn
        >>> [heatmap] = dn.Classifier("digits").heatmaps("examples/digits/7-1459-64.png")
        >>> heatmap.predictions[0].label, heatmap.maps.shape, heatmap.of(7).shape
        ('7', (10, 4, 4), (4, 4))
        """
        with _bar(progress, pictures) as moved:
            found = self._opened("maps").maps(pictures, options.count("top_k", top_k), moved)
        return [Heatmap([Prediction(*one) for one in ranked], View(*view), maps) for maps, view, ranked in found]

    # What it is.

    def inspect(self) -> Inspection:
        """Returns what the model is: container, architecture, preprocessing, cost."""
        return inspect_stated(self._model, self._options)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._opened().name

    @property
    def architecture(self) -> str:
        """Its architecture, in a line."""
        return self._opened().architecture

    @property
    def classes(self) -> "int | None":
        """The number of its classes; ``None`` for a network that ends in features."""
        return self._opened().classes

    @property
    def labels(self) -> "list[str] | None":
        """What its classes are called, ``""`` for an output that was not trained; ``None`` if nothing names them."""
        return self._opened().labels

    @property
    def input_shape(self) -> "tuple[int, int, int]":
        """Channels, height and width of the network's input."""
        return self._opened().input_shape

    @property
    def size(self) -> "tuple[int, int]":
        """Height and width of the network's input."""
        return self.input_shape[1:]

    @property
    def devices(self) -> "list[str]":
        """The names of the devices it runs on; the reference is ``cpu``."""
        return self._opened().devices

    @property
    def preprocessing(self) -> "dict[str, Any]":
        """How a picture becomes the network's input; ``preprocess`` takes such a dictionary."""
        preprocessing: "dict[str, Any]" = json.loads(self._opened().preprocessing)
        return preprocessing

    @property
    def assumed(self) -> "list[Assumption]":
        """What was assumed about the model, or is unknown."""
        return [Assumption(*assumed) for assumed in self._opened().assumed]

    @property
    def notes(self) -> "list[str]":
        """Choices made while reading the model, a sentence each."""
        return self._opened().notes

    @property
    def warnings(self) -> "list[str]":
        """What to know about the devices, a sentence each."""
        return self._opened().warnings

    # How it lives.

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._is_closed

    def close(self) -> None:
        """Closes it when what other threads run on it has finished. Later calls raise :class:`ClosedError`."""
        with self._lock:
            self._is_closed = True
            opened, self._open = self._open, {}
        for one in opened.values():
            one.close()

    def __enter__(self) -> "Classifier":
        return self

    def __exit__(self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None") -> None:
        self.close()

    def __reduce__(self) -> "tuple[object, ...]":
        if self._is_closed:
            raise _closed()
        return _again, (type(self), self._model, self._options)

    def __repr__(self) -> str:
        if self._is_closed:
            return f"<Classifier {self._model!r}, closed>"
        if not self._open:
            return f"<Classifier {self._model!r}, not opened here yet>"
        height, width = self.size
        return f"<Classifier {self._model!r}: {self.architecture}, {height}x{width}, on {', '.join(self.devices)}>"

    def _opened(self, outputs: str = "logits", progress: bool = False) -> OpenClassifier:
        """Returns the classifier with these outputs ("logits", "features" or "maps") that is open in this process; opens it if none is."""
        if self._options["features_only"] and outputs == "logits":
            outputs = "features"
        opened = self._open.get(outputs)
        if opened is None:
            with self._lock:
                if self._is_closed:
                    raise _closed()
                opened = self._open.get(outputs) or self._open_anew(outputs, progress)
        return opened

    def _open_anew(self, outputs: str, shows_progress: bool) -> OpenClassifier:
        with progress.download(shows_progress, self._model) as moved:
            opened = OpenClassifier.open(self._model, self._options, outputs, moved)
        self._open[outputs] = opened
        if not self._has_warned:
            self._has_warned = True
            assumed = [f"{opened.name}: {Assumption(*assumed)}" for assumed in opened.assumed]
            notes = [f"{opened.name}: {note}" for note in opened.notes]
            for sentence in [*opened.warnings, *notes, *assumed]:
                warnings.warn(sentence, DensenetWarning, stacklevel=_depth())
        return opened


_bar = progress.pictures


def _closed() -> ClosedError:
    return ClosedError("expected an open classifier, found a closed one; make another")


def _again(kind: "type[Classifier]", model: str, stated: "dict[str, Any]") -> Classifier:
    """Makes a pickled classifier again, which opens when it is first used."""
    classifier = kind.__new__(kind)
    classifier._begin(model, stated)
    return classifier


def _depth() -> int:
    """Returns how far above its caller the first frame outside of this package is, as ``warnings.warn`` counts."""
    import sys

    here, depth = os.path.dirname(__file__), 1
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == here:
        frame, depth = frame.f_back, depth + 1
    return depth


def _close_all() -> None:
    """Closes every classifier, so that no device is open when the interpreter ends."""
    for classifier in list(_living):
        classifier.close()


def _forget_parents() -> None:
    """Forgets what a parent process opened: its threads are not here."""
    for classifier in list(_living):
        classifier._lock = threading.Lock()
        classifier._open = {}


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)
