"""Any trained DenseNet, on any GPU, without CUDA and without torch.

>>> import densenet_wgpu as dn
>>> net = dn.Classifier("digits")  # or "best.pth", or "densenet121"
>>> [[best]] = net.classify("examples/digits/7-1442-8.png", top_k=1)
>>> best.label
'7'

Pictures go in as paths, bytes, PIL pictures or arrays, one or many; :meth:`Classifier.logits`, :meth:`~Classifier.probabilities` and
:meth:`~Classifier.embed` give arrays, :meth:`~Classifier.classify` classes with labels, :meth:`~Classifier.heatmaps` where they were seen.
:func:`devices` lists what there is to run on, :func:`inspect` tells what a checkpoint is, :func:`verify` whether a device computes it
rightly, :func:`bench` how fast. What is refused is an :class:`Error`.
"""

from ._native import __version__
from .timing import Timing, bench
from .classifier import Classifier
from .device import Device, devices
from .errors import (
    CheckpointError,
    ClosedError,
    DensenetWarning,
    DeviceError,
    DeviceLostError,
    Error,
    InputError,
    OutOfMemoryError,
    PictureError,
)
from .inspection import Inspection, inspect
from .results import Assumption, Heatmap, Prediction, View
from .verification import LayerCheck, Verification, verify

__all__ = [
    "Assumption",
    "CheckpointError",
    "Classifier",
    "ClosedError",
    "DensenetWarning",
    "Device",
    "DeviceError",
    "DeviceLostError",
    "Error",
    "Heatmap",
    "InputError",
    "Inspection",
    "LayerCheck",
    "OutOfMemoryError",
    "PictureError",
    "Prediction",
    "Timing",
    "Verification",
    "View",
    "__version__",
    "bench",
    "devices",
    "inspect",
    "verify",
]
