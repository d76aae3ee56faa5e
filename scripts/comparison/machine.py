"""The machine and the commit that are measured."""

import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def git(*arguments):
    """Return what git says about this repository, nothing where there is none."""
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()


def processor():
    """Return the processor's name."""
    try:
        return re.search(
            r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )[1]
    except (OSError, TypeError):
        return platform.processor() or platform.machine()
