"""Write small checkpoints whose heads have other activations than ReLU, or whose modules show which layers follow the features.

    python scripts/make_head_fixtures.py

Writes into tests/fixtures/checkpoints heads.json and heads.zip, as make_wild_fixtures writes wild.json and wild.zip, and into
tests/fixtures nonlinearities.json: what PyTorch's functions, in float64, make of numbers of every size.
"""

import torch

from fixtures import heads
from fixtures.heads.functions import write_nonlinearities
from fixtures.wild import listing


def main():
    """Write all of them."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for layout in heads.LAYOUTS:
        layout.make()
    write_nonlinearities()
    listing.write("heads")


if __name__ == "__main__":
    main()
