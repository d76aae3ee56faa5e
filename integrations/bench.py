"""Pictures per second of the program, a Python loop, Ray and Spark, on the same files with the same model, by turns.

Each is a process of its own, once with few pictures and once with many. What the many take longer is the time of the rest, and so the
rate; the time of the few is the start: an interpreter, an engine, a model. Each of them decodes, computes and writes its rows.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import densenet_wgpu as dn
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
PEERS = ["densenet", "Python", "Ray", "Spark"]
PARTS = 4  # files of paths, so that there are tasks

PYTHON = """
import sys, pyarrow.parquet as pq, densenet_wgpu as dn
folder, output, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
paths = pq.read_table(folder)["path"].to_pylist()
with dn.Classifier("digits", batch=batch, software="allow") as net, open(output, "w") as rows:
    for at in range(0, len(paths), 8 * batch):
        part = paths[at : at + 8 * batch]
        for path, answer in zip(part, net.classify(part, top_k=1)):
            print(path, answer[0].index, answer[0].label, answer[0].probability, answer[0].logit, sep=",", file=rows)
"""


def command(peer, folder, output, batch):
    """The command for the files of paths in `folder`."""
    common = ["--model", "digits", "--input", str(folder), "--output", str(output), "--batch", str(batch), "--top-k", "1"]
    common += ["--software", "allow"]
    match peer:
        case "densenet":
            program = [os.environ["DENSENET_BINARY"], "classify", "-", "--model", "digits", "--batch", str(batch), "--top-k", "1"]
            return [*program, "--software", "allow", "--format", "csv"]
        case "Python":
            return [sys.executable, "-c", PYTHON, str(folder), str(output), str(batch)]
        case "Ray":
            return [sys.executable, str(ROOT / "integrations/tests/ray_job.py"), *common]
        case "Spark":
            return [sys.executable, str(ROOT / "integrations/tests/spark_job.py"), *common]


def seconds(peer, folder, batch):
    """How long it takes; errors if a picture has no row."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="dn", ignore_cleanup_errors=True) as scratch:
        output = Path(scratch) / "rows"
        paths = pq.read_table(folder)["path"].to_pylist()
        environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
        environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
        environment |= {"RAY_FOLDER": scratch, "FAULT_FOLDER": scratch, "SPARK_MASTER": "local[1]"}
        environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / "integrations" / folder) for folder in ["tests", peer.lower()])
        begun = time.monotonic()
        done = subprocess.run(command(peer, folder, output, batch), input="\n".join(paths), env=environment, capture_output=True, text=True)
        took = time.monotonic() - begun
        if done.returncode != 0:
            sys.exit(f"{peer}: {done.stderr[-3000:]}")
        match peer:
            case "densenet":
                count = done.stdout.count("\n") - 1
            case "Python":
                count = len(output.read_text().splitlines())
            case _:
                count = sum(pq.read_metadata(file).num_rows for file in output.glob("*.parquet"))
        if count != len(paths):
            sys.exit(f"{peer}: {count} rows of {len(paths)} pictures")
        return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=256)
    parser.add_argument("--many", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    digits = sorted((ROOT / "examples/digits").glob("*.png"))
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for number in range(asked.many):
            files.append(Path(scratch) / f"{number}-{digits[number % len(digits)].name}")
            shutil.copy(digits[number % len(digits)], files[-1])
        folders = {}
        for count in (asked.few, asked.many):
            folders[count] = Path(scratch) / f"paths-{count}"
            folders[count].mkdir()
            for part in range(PARTS):
                pq.write_table(pa.table({"path": [str(path) for path in files[part:count:PARTS]]}), folders[count] / f"{part}.parquet")
        starts, rates = {peer: [] for peer in PEERS}, {peer: [] for peer in PEERS}
        for _ in range(asked.rounds):
            for peer in PEERS:
                few, many = (seconds(peer, folders[count], asked.batch) for count in (asked.few, asked.many))
                starts[peer].append(few)
                rates[peer].append((asked.many - asked.few) / (many - few))
                print(f"{peer}: {few:.2f} s, {rates[peer][-1]:.0f} pictures/s", file=sys.stderr)
    device = dn.devices()[0]
    print(f"{device.name}, {device.driver}; digits, batch {asked.batch}, {asked.many} pictures, {asked.rounds} rounds by turns, medians\n")
    print(f"| by | pictures/s | beside the program | {asked.few} pictures with the start |\n|---|---:|---:|---:|")
    best = statistics.median(rates["densenet"])
    for peer in PEERS:
        rate = statistics.median(rates[peer])
        print(f"| {peer} | {rate:.0f} | {rate / best:.2f} | {statistics.median(starts[peer]):.1f} s |")


if __name__ == "__main__":
    main()
