"""Classifies pictures on Spark: `densenet classify`, with Parquet in and out, on every machine of a cluster.

    spark-submit classify.py --model best.pth --input pictures.parquet --output rows

The input has a column `path`, and a column `bytes` if it holds the pictures themselves. The output has a row for each picture
with keys of `densenet classify --format json`: `path`, and `top` or `error`.
"""

import argparse
import os
import subprocess

import densenet_wgpu as dn
import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import SparkSession

CLASS = pa.struct({"index": pa.int32(), "label": pa.string(), "probability": pa.float64(), "logit": pa.float32()})
ROW = pa.schema({"path": pa.string(), "top": pa.list_(CLASS), "error": pa.string()})
SCHEMA = "path string, top array<struct<index: int, label: string, probability: double, logit: float>>, error string"


def rows(paths, answers):
    for path, answer in zip(paths, answers, strict=True):
        if isinstance(answer, dn.Error):
            yield {"path": path, "error": str(answer).removeprefix(f"{path}: ")}
        else:
            top = [{"index": c.index, "label": c.label, "probability": c.probability, "logit": c.logit} for c in answer]
            yield {"path": path, "top": top}


def classify(batches, model, top_k, **options):
    """The rows of a partition's batches. The model is opened once for each partition."""
    if "gpu" in TaskContext.get().resources():
        gpu = TaskContext.get().resources()["gpu"].addresses[0]  # a number of nvidia-smi's; ours differ
        query = ["nvidia-smi", f"--id={gpu}", "--query-gpu=pci.bus_id", "--format=csv,noheader"]
        options["device"] = subprocess.check_output(query, text=True).strip()
    classifier = dn.Classifier(model, **options)
    for batch in batches:
        pictures = batch["bytes" if "bytes" in batch.schema.names else "path"].to_pylist()
        try:
            answers = classifier.classify(pictures, top_k=top_k, on_error="return")
        except dn.DeviceLostError:
            os._exit(1)  # Spark starts another worker, which does this partition again
        yield pa.RecordBatch.from_pylist(list(rows(batch["path"].to_pylist(), answers)), ROW)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for required in ["--model", "--input", "--output"]:
        parser.add_argument(required, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--task", type=int, default=1024, help="pictures that are done again where a worker dies")
    parser.add_argument("--top-k", type=int, default=5)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--device", help="where Spark gives no GPUs; default: DENSENET_DEVICE of each machine")
    parser.add_argument("--software", default="refuse", help="warn, refuse or allow a machine without a GPU")
    asked = parser.parse_args(arguments)
    options = {name: getattr(asked, name) for name in ["model", "top_k", "batch", "precision", "device", "software"]}

    spark = SparkSession.builder.appName("densenet").getOrCreate()
    # The next pictures are read while the device works.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 8 * asked.batch)
    pictures = spark.read.parquet(asked.input)
    pictures = pictures.repartition(-(-pictures.count() // asked.task) or 1)
    pictures.mapInArrow(lambda batches: classify(batches, **options), SCHEMA).write.mode("overwrite").parquet(asked.output)


if __name__ == "__main__":
    main()
