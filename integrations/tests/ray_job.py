"""Runs integrations/ray/classify.py on a small Ray of its own, with the workers of faults.py."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ray"))

import classify
import faults
import ray


class Observed(classify.Classify):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.classifier = faults.Observed(self.classifier)


if __name__ == "__main__":
    classify.Classify = Observed
    gpus = int(os.environ.get("RAY_GPUS", "0"))
    ray.init(num_cpus=4, num_gpus=gpus, object_store_memory=256 * 2**20, include_dashboard=False, _temp_dir=os.environ["RAY_FOLDER"])
    classify.main()
