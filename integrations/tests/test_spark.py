"""integrations/spark/classify.py on Spark itself."""

import pytest
from conftest import Job, assert_equal


@pytest.fixture
def job(folder):
    def job(input, *arguments, master="local[1]"):
        return Job("spark", folder, ["--input", str(input), *arguments], {"SPARK_MASTER": master})

    return job


@pytest.mark.parametrize("kind", ["paths", "bytes"])
def test_rows_are_the_command_lines_and_what_is_damaged_costs_its_own(job, inputs, expected, kind):
    done = job(inputs[kind]).run()
    assert_equal(done.rows(), expected)
    assert done.computed().total() == 480


@pytest.mark.parametrize("fault", ["kill", "lose"])
def test_a_worker_that_dies_is_replaced_and_no_row_lost_or_doubled(job, inputs, expected, fault):
    done = job(inputs["paths"], master="local[1,3]").run(fault)
    assert done.happened()
    assert_equal(done.rows(), expected)
    assert len(done.computed()) == 2, "two processes"
    assert (done.output / "_SUCCESS").exists()


def test_two_workers_share_the_pictures(job, inputs, expected):
    assert_equal(job(inputs["paths"], master="local[2,3]").run().rows(), expected)


def test_a_worker_without_a_gpu_says_so(job, inputs):
    refused = job(inputs["paths"], "--software", "refuse").run(expect=1)
    assert "expected a GPU, found " in refused.said() and 'software="allow"' in refused.said()
