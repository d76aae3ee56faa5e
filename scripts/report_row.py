#!/usr/bin/env python3
"""Prints what a table of drivers has of a report of `densenet report`: device and driver, values beside the reference, time.

    report_row.py REPORT
"""

import json
import sys


def found(part):
    """What a part of the report found; None where it failed."""
    return part.get("found")


def verified(precision):
    """How many values agree, of each network."""
    layers = [found(network["layers"]) for network in precision["verified"]]
    words = [str(part["count"]) if part and part["agrees"] else "**differs**" if part else "**failed**" for part in layers]
    return f"{precision['precision']}: {', '.join(words)}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    device, precisions = report["device"], report["precisions"]
    faults = [fault for p in precisions for network in p["verified"] if found(network["layers"]) for fault in found(network["layers"])["faults"]]
    latency = found(precisions[0]["bench"][0]["latency_ms"])
    values = "; ".join(verified(precision) for precision in precisions)
    time = f"{latency['p50']:.0f} ms" if latency else "**failed**"
    print(f"{device['name']}, {device['driver']} | {values}{''.join('; ' + fault for fault in faults)} | {time}")


if __name__ == "__main__":
    main()
