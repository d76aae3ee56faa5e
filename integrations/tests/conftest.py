"""Pictures, what the command line says of them, and jobs on the engines, each with a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent
COPIES = 12
PATIENCE = 240  # seconds

# No tokens, no reports, no address but this machine's own; and Ray's workers, which run at nice 15, have their share of a busy machine.
os.environ.update({"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"})
os.environ.update({"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable})


@pytest.fixture(scope="session")
def binary():
    """The program that the workers' rows are compared with."""
    return os.environ["DENSENET_BINARY"]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 480 pictures, of which one is damaged, and one is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for copy in range(COPIES):
        for picture in (ROOT / "examples/digits").glob("*.png"):
            shutil.copy(picture, folder / f"{copy}-{picture.name}")
    damaged, none = sorted(folder.iterdir())[100:102]
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    none.write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def expected(binary, pictures):
    """What `densenet classify --format json` says, by paths."""
    # Each path by itself, as files that are no pictures are passed over in folders.
    paths = "\n".join(str(path) for path in sorted(pictures.iterdir()))
    command = [binary, "classify", "-", "--model", "digits", "--top-k", "2", "--format", "json", "--software", "allow"]
    done = subprocess.run(command, input=paths, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1, done.stderr
    rows = {row["path"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert len(rows) == 480 and sum("error" in row for row in rows.values()) == 2
    return rows


@pytest.fixture(scope="session")
def inputs(pictures, tmp_path_factory):
    """A folder of Parquet files of their paths, and one of paths and bytes."""
    paths = sorted(pictures.iterdir())
    folders = {}
    for kind in ("paths", "bytes"):
        folders[kind] = tmp_path_factory.mktemp(kind)
        for part in range(8):
            mine = paths[part::8]
            columns = {"path": [str(path) for path in mine]}
            if kind == "bytes":
                columns["bytes"] = [path.read_bytes() for path in mine]
            pq.write_table(pa.table(columns), folders[kind] / f"{part}.parquet")
    return folders


class Job:
    """A command on an engine, which may be given several times."""

    def __init__(self, engine, folder, arguments, environment):
        self.folder, self.output = folder, folder / "rows"
        self.command = [sys.executable, str(TESTS / f"{engine}_job.py"), "--model", "digits", "--top-k", "2", "--batch", "2", "--task", "64"]
        self.command += ["--software", "allow", "--output", str(self.output), *arguments]
        self.environment = {**os.environ, **environment, "FAULT_FOLDER": str(folder)}
        self.environment["PYTHONPATH"] = f"{TESTS}{os.pathsep}{TESTS.parent / engine}"

    def start(self, fault=""):
        self.log = open(self.folder / "log", "a")
        environment = {**self.environment, "FAULT": fault}
        return subprocess.Popen(self.command, env=environment, stdout=self.log, stderr=self.log, start_new_session=True)

    def run(self, fault="", expect=0):
        process = self.start(fault)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(self.said()[-5000:])
        assert status == expect if expect == 0 else status != 0, self.said()[-5000:]
        return self

    def said(self):
        return (self.folder / "log").read_text()

    def computed(self):
        """Pictures that were computed, by every process."""
        counts = Counter()
        for line in (self.folder / "computed").read_text().splitlines():
            process, count = line.split()
            counts[process] += int(count)
        return counts

    def happened(self):
        return (self.folder / "happened").exists()

    def rows(self):
        return [row for file in self.output.glob("*.parquet") for row in pq.read_table(file).to_pylist()]


@pytest.fixture
def folder():
    """A folder whose path is short, as those of sockets have to be."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="dn", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def spark():
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


def assert_equal(rows, expected):
    """Every picture once, with what the command line says of it, to the bit."""
    assert sorted(row["path"] for row in rows) == sorted(expected)
    for row in rows:
        by_program = expected[row["path"]]
        assert row["error"] == by_program.get("error")
        assert (row["top"] is None) == ("error" in by_program)
        for best, of_program in zip(row["top"] or [], by_program.get("top", []), strict=True):
            logit = pa.scalar(of_program["logit"], pa.float32()).as_py()
            assert best == {**of_program, "logit": logit}
