"""How much is measured."""

from dataclasses import dataclass

from .engine import ARCH, FOLDER_BATCH


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    runs: int | None  # warm ones, at batch 1; None is the programs' own rule
    runs_of_batches: int
    batches: tuple[int, ...]
    sizes: tuple[int, ...]
    networks: tuple[tuple[str, int], ...]  # and the sizes of their pictures, beside the first
    pictures: int


NETWORKS = (("densenet201", 224), ("densenet161", 224), (ARCH, 448), (ARCH, 896))
FULL = Effort(3, None, 5, (1, 2, 4, 8, 16, 32), (224, 448, 896), NETWORKS, 13 * FOLDER_BATCH)
QUICK = Effort(1, 2, 2, (1, 4), (224, 448), NETWORKS[:1], 3 * FOLDER_BATCH)
