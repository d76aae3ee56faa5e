"""What is refused, and what should be known although work goes on.

>>> import densenet_wgpu as dn
>>> try:
...     dn.Classifier("digit")
... except dn.CheckpointError as error:
...     print(str(error).partition(" Known")[0])
no model or file is called "digit"; did you mean digits?
"""


class Error(Exception):
    """Anything that densenet_wgpu refuses: what was expected, what was found, and the remedy, as the command line says it."""

    place: "str | None"
    """Where something is wrong, as in the message: a file, a layer, a tensor or a device; ``None`` if no particular place is."""
    index: "int | None"
    """Which of several pictures it is about, counted from 0; ``None`` if it is about none of them."""

    def __init__(self, message: str, place: "str | None" = None) -> None:
        super().__init__(message)
        self.place = place
        self.index = None

    def __reduce__(self) -> "tuple[object, ...]":
        return type(self), (*self.args, self.place), {"index": self.index}


class CheckpointError(Error):
    """A model that cannot be opened: there is none of that name, it cannot be fetched, or its file is no DenseNet's checkpoint."""


class PictureError(Error):
    """A picture that cannot be read: it is missing, no picture, damaged, or larger than allowed."""


class InputError(Error, ValueError):
    """An argument, an array or an option that does not fit: a wrong dtype, shape, number of channels or name, or nothing at all."""


class DeviceError(Error):
    """A device that is not there, does not open, computes wrongly, or failed."""


class DeviceLostError(DeviceError):
    """A device that hung, was reset or unplugged. Nothing more runs there; a new classifier opens it again."""


class OutOfMemoryError(DeviceError, MemoryError):
    """A device without enough memory."""


class ClosedError(Error, ValueError):
    """A classifier that was used after it was closed."""


class DensenetWarning(UserWarning):
    """Something to know although work goes on: a software device, or what was assumed about a model."""
