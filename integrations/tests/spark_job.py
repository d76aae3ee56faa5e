"""Runs integrations/spark/classify.py on a Spark in this process, with the workers of faults.py."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "spark"))

import classify
from pyspark.sql import SparkSession


def observed(batches, **options):
    import classify
    import faults

    classify.dn = faults.package()
    yield from classify.classify(batches, **options)


if __name__ == "__main__":
    classify.classify = observed
    session = SparkSession.builder.master(os.environ["SPARK_MASTER"]).config("spark.ui.enabled", "false")
    session.config("spark.driver.memory", "1g").getOrCreate()
    classify.main()
