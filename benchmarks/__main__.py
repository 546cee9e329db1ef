"""`python -m benchmarks [NAME] [options]`: one benchmark, or all of them.

A benchmark prints its progress to stderr and one JSON line to stdout, keeps its result in benchmarks/results/ and
rewrites docs/benchmarks.md. Options are the benchmark's own: `python -m benchmarks floor --help`.
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "floor",
    "tracking",
    "log_model",
    "point_in_time",
    "materialize",
    "validation",
    "anomaly",
    "taxi_linear",
    "taxi_xgboost",
    "trading",
    "compose_load",
)


def main(arguments: list[str]) -> int:
    """Run what is asked for; the exit code is the worst of all."""
    named = bool(arguments) and not arguments[0].startswith("-")
    names = (arguments[0],) if named else NAMES
    options = arguments[1:] if named else arguments
    if unknown := [name for name in names if name not in NAMES]:
        print(f"Error: there is no benchmark {unknown[0]}.\nThere are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    return max(_run(name, options) for name in names)


def _run(name: str, options: list[str]) -> int:
    return int(importlib.import_module(f"benchmarks.{name}").main(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
