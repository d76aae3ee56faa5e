"""The snippets of docs/clusters.md, as they stand there."""

import re
from pathlib import Path

import densenet_wgpu as dn
import numpy as np

DOCUMENT = Path(__file__).parents[2] / "docs/clusters.md"


def snippet(word):
    """The one block of Python with this word."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if word in block]
    return found


def test_dask(pictures, expected):
    from dask.distributed import Client, LocalCluster

    paths = sorted(str(path) for path in pictures.iterdir())
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        names = {"__name__": "__main__", "client": client, "paths": paths}
        exec(compile(snippet("WorkerPlugin"), str(DOCUMENT), "exec"), names)
    for path, label in zip(paths, names["found"], strict=True):
        row = expected[path]
        assert label == row["top"][0]["label"] if "top" in row else label.endswith(row["error"])


def test_predict_batch_udf(spark):
    tensors = np.random.default_rng(1).random((70, 3, 64, 64), dtype=np.float32)
    frame = spark.createDataFrame([(tensor.ravel().tolist(),) for tensor in tensors], "tensor array<float>")
    names = {"__name__": "__main__", "tensors": frame.coalesce(1)}
    exec(compile(snippet("predict_batch_udf"), str(DOCUMENT), "exec"), names)
    found = np.array([row.logits for row in names["answers"].collect()], dtype=np.float32)
    with dn.Classifier("digits", software="allow") as classifier:
        assert np.array_equal(found, classifier.logits(tensors))
