"""One side of a benchmark in a process of its own: nobody's imports, memory or settings are in the other's figures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contender import BenchmarkError, clean_environment

ROOT = Path(__file__).parents[1]
_CALL_SECONDS = 3600.0


def ask_python(
    arguments: Sequence[str], failure: str, *, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run Python with these arguments; the JSON object that it writes as its last line."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT,
        env=clean_environment() | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=_CALL_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{failure}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mib() -> float:
    """The most memory that this process has had since it began to run its program."""
    status = Path("/proc/self/status")
    if status.is_file():
        # `getrusage` counts what the process was before that, too: a copy of whoever started it.
        lines = status.read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
