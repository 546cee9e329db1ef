"""What benchmarks of files have in common: SCALE, a folder that is gone afterwards, a result that is published.

What is written there and who reads it is each benchmark's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.contender import BenchmarkError
from benchmarks.progress import Progress
from benchmarks.publishing import publish
from benchmarks.result import Result
from benchmarks.size import scale_from

Measure = Callable[[Path, float, Progress], Result | int]
"""What is measured in a folder at a scale: the result of both sides, or of what is only printed the exit code that a
check has."""


def options_of(name: str, about: str | None, folder: str) -> argparse.ArgumentParser:
    """The options that all have; `folder` says what is written there."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=about)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--folder", help=f"where {folder}; the system's temporary folder by default")
    return parser


def hold(name: str, measure: Measure, options: argparse.Namespace) -> int:
    """Measure in a folder of its own, then keep and publish what a full-size run found; the exit code."""
    try:
        scale = scale_from()
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    say = Progress(name)
    try:
        with tempfile.TemporaryDirectory(
            prefix="airfoil-bench-", dir=options.folder, ignore_cleanup_errors=True
        ) as folder:
            found = measure(Path(folder), scale, say)
    except BenchmarkError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    if isinstance(found, int):
        return found if options.check else 0
    return publish(found, say, is_full=scale == 1, is_checked=options.check)
