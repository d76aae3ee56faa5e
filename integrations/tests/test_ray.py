"""integrations/ray/classify.py on Ray itself."""

import os
import signal
import stat
import time

import pytest
from conftest import Job, assert_equal


@pytest.fixture
def job(folder):
    def job(input, *arguments, **environment):
        return Job("ray", folder, ["--input", str(input), *arguments], {"RAY_FOLDER": str(folder), **environment})

    return job


@pytest.mark.parametrize("kind", ["paths", "bytes"])
def test_rows_are_the_command_lines_and_what_is_damaged_costs_its_own(job, inputs, expected, kind):
    done = job(inputs[kind]).run()
    assert_equal(done.rows(), expected)
    assert done.computed().total() == 480


@pytest.mark.parametrize("fault", ["kill", "lose"])
def test_a_worker_that_dies_is_replaced_and_no_row_lost_or_doubled(job, inputs, expected, fault):
    done = job(inputs["paths"]).run(fault)
    assert done.happened()
    assert_equal(done.rows(), expected)
    assert len(done.computed()) == 2, "two processes"


def test_a_driver_that_is_killed_goes_on_where_it_was(job, inputs, expected):
    job = job(inputs["paths"])
    driver = job.start("slow")
    begun = time.monotonic()
    while len(list(job.output.glob("*.parquet"))) < 2:
        assert driver.poll() is None and time.monotonic() < begun + 120, job.said()[-5000:]
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(5)  # the workers see that it is gone
    before = job.computed().total()
    assert before < 480
    job.run()
    assert_equal(job.rows(), expected)
    assert job.computed().total() < 2 * 480
    # Nothing is left to do.
    after = job.computed().total()
    job.run()
    assert_equal(job.rows(), expected)
    assert job.computed().total() == after
    print(f"computed {before}, then {after - before} of 480")


def test_a_worker_without_a_gpu_says_so(job, inputs):
    refused = job(inputs["paths"], "--software", "refuse").run(expect=1)
    assert "expected a GPU, found " in refused.said() and 'software="allow"' in refused.said()


def test_each_worker_has_the_gpu_that_ray_gave_it(job, inputs, expected, folder):
    """Ray's numbers are nvidia-smi's, which knows the addresses. This one knows none, but says that it was asked."""
    program = folder / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >>{folder}/asked\necho 0\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = job(inputs["paths"], "--actors", "2", "--gpus", "1", RAY_GPUS="2", PATH=path).run()
    assert sorted((folder / "asked").read_text().split()) == ["--id=0", "--id=1"]
    assert_equal(done.rows(), expected)
