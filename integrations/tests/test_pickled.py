"""A classifier that the driver made, in a worker: it is pickled, and opens its own device there."""

import densenet_wgpu as dn
import pytest


@pytest.fixture
def classifier():
    with dn.Classifier("digits", software="allow") as classifier:
        yield classifier


@pytest.fixture
def paths(pictures):
    return sorted(str(path) for path in pictures.iterdir())[:10]


@pytest.fixture
def logits():
    """A function of no module, as workers do not have this one."""
    return lambda classifier, paths: [best[0].logit for best in classifier.classify(paths, top_k=1)]


def test_by_ray(classifier, paths, logits, folder):
    import ray

    ray.init(num_cpus=1, object_store_memory=2**27, include_dashboard=False, _temp_dir=str(folder))
    in_worker = ray.get(ray.remote(lambda net: logits(net, paths)).remote(classifier), timeout=120)
    ray.shutdown()
    assert in_worker == logits(classifier, paths)


def test_by_spark(classifier, paths, logits, spark):
    in_worker = spark.sparkContext.parallelize([paths], 1).map(lambda part: logits(classifier, part)).collect()
    assert in_worker == [logits(classifier, paths)]
