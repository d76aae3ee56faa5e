"""Classifies pictures on Ray: `densenet classify`, with Parquet in and out, on every machine of a cluster.

    python classify.py --model best.pth --input pictures.parquet --output rows --actors 8 --gpus 1

The input has a column `path`, and a column `bytes` if it holds the pictures themselves. The output has a row for each picture
with keys of `densenet classify --format json`: `path`, and `top` or `error`. The same command goes on after a crash, with the
paths that have no row.
"""

import argparse
import os
import subprocess

import densenet_wgpu as dn
import pyarrow as pa
import ray
from ray.data.checkpoint import CheckpointConfig

CLASS = pa.struct({"index": pa.int32(), "label": pa.string(), "probability": pa.float64(), "logit": pa.float32()})
ROW = pa.schema({"path": pa.string(), "top": pa.list_(CLASS), "error": pa.string()})


def rows(paths, answers):
    for path, answer in zip(paths, answers, strict=True):
        if isinstance(answer, dn.Error):
            yield {"path": path, "error": str(answer).removeprefix(f"{path}: ")}
        else:
            top = [{"index": c.index, "label": c.label, "probability": c.probability, "logit": c.logit} for c in answer]
            yield {"path": path, "top": top}


class Classify:
    """A worker process with a model on a device."""

    def __init__(self, model, top_k, **options):
        for gpu in ray.get_runtime_context().get_accelerator_ids()["GPU"]:  # a number of nvidia-smi's; ours differ
            query = ["nvidia-smi", f"--id={gpu}", "--query-gpu=pci.bus_id", "--format=csv,noheader"]
            options["device"] = subprocess.check_output(query, text=True).strip()
        self.classifier, self.top_k = dn.Classifier(model, **options), top_k

    def __call__(self, batch):
        pictures = batch["bytes" if "bytes" in batch.column_names else "path"].to_pylist()
        try:
            answers = self.classifier.classify(pictures, top_k=self.top_k, on_error="return")
        except dn.DeviceLostError:
            os._exit(1)  # Ray starts another worker, which does this batch again
        return pa.Table.from_pylist(list(rows(batch["path"].to_pylist(), answers)), ROW)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for required in ["--model", "--input", "--output"]:
        parser.add_argument(required, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--task", type=int, default=1024, help="pictures that are done again where a worker dies")
    parser.add_argument("--top-k", type=int, default=5)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--device", help="where Ray gives no GPUs; default: DENSENET_DEVICE of each machine")
    parser.add_argument("--software", default="refuse", help="warn, refuse or allow a machine without a GPU")
    parser.add_argument("--actors", type=int, default=1, help="worker processes in all, one for each GPU")
    parser.add_argument("--gpus", type=float, default=0, help="GPUs of a worker")
    asked = parser.parse_args(arguments)
    options = {name: getattr(asked, name) for name in ["model", "top_k", "batch", "precision", "device", "software"]}

    checkpoint = os.path.abspath(asked.output) + ".checkpoint"
    ray.data.DataContext.get_current().checkpoint_config = CheckpointConfig(
        id_column="path", checkpoint_path=checkpoint, delete_checkpoint_on_success=False
    )
    pictures = ray.data.read_parquet(asked.input).repartition(target_num_rows_per_block=asked.task)
    pictures.map_batches(
        Classify,
        fn_constructor_kwargs=options,
        batch_size=8 * asked.batch,  # the next pictures are read while the device works
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=asked.actors),
        num_cpus=0,  # or actors may take every CPU, and none is left to read and write: Ray then waits for ever
        num_gpus=asked.gpus,
    ).write_parquet(os.path.abspath(asked.output))


if __name__ == "__main__":
    main()
