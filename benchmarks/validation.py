"""What it takes to validate a table against a reference: missing values, ranges, duplicates and drift, against pandas.

`python -m benchmarks.validation`, or `make bench NAME=validation`. Each side is a process of its own on the same files;
imports are measured apart. `--large` measures our side alone on five times the rows.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, result, tables
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.trial import hold, options_of

NAME = "validation"
ROWS = 20_000_000
LARGE = 5
MOST_SECONDS_SHARE, MOST_MEMORY_SHARE, MOST_LARGE_MIB = 0.2, 0.1, 1024.0
_QUIET_SECONDS = 180.0
_SHIFT = 0.01
_MEAN_TOLERANCE, _TEST_TOLERANCE = 1e-9, 1e-12
_DISTRIBUTIONS = ("airfoil", "polars", "duckdb", "pyarrow", "pandas", "scipy")
FIGURES = (
    Figure("seconds", "Both tables checked and compared, reading included", "s", 1, is_plotted=True),
    Figure("quality_seconds", "Of it: missing values, ranges, statistics, duplicates", "s", 1),
    Figure("drift_seconds", "Of it: Kolmogorov-Smirnov of ten columns", "s", 1),
    Figure("import_seconds", "The imports", "s", 2),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0, is_plotted=True),
)
LEAD = (
    "A table and the reference it is held against: missing values, ranges and statistics of both, duplicates of "
    "one, and the exact two-sample Kolmogorov-Smirnov test of ten columns. Airfoil's side measures further distances "
    "meanwhile."
)
NOTES = (
    "Ten columns of numbers, two of words; one row in 20,000 is there twice, five columns lack one value in 100.",
    "pandas reads both tables whole, which is how it is mostly done; each side is one process.",
    "Equal: every count the same, every mean to 1e-9, statistic and p-value of every column to 1e-12 of scipy's.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_SIDES[options.side](Path(options.data))))
        return 0
    return hold(NAME, _large if options.large else _compare, options)


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    rows = _write(folder, scale, say)
    return assemble({side: _measure(side, folder, say) for side in (result.OURS, result.PEER)}, rows)


def _large(folder: Path, scale: float, say: Progress) -> int:
    rows = _write(folder, LARGE * scale, say)
    seen = _measure(result.OURS, folder, say)
    print(json.dumps({"name": f"{NAME} --large", "rows": rows, **_numbers(seen)}))
    return int(seen["peak_mib"] > MOST_LARGE_MIB)


def _write(folder: Path, scale: float, say: Progress) -> int:
    rows = max(1000, round(ROWS * scale))
    for seed, name in enumerate(("reference", "current")):
        tables.write_table(folder / name, rows, seed, _SHIFT * seed)
        say(f"wrote {rows} rows as {name}")
    machine.wait_for_quiet(min(1.0, scale) * _QUIET_SECONDS, say)
    return rows


def assemble(seen: Mapping[str, Mapping[str, Any]], rows: int) -> Result:
    """The result of both sides."""
    numbers = {side: _numbers(one) for side, one in seen.items()}
    ratio = result.ratios(numbers[result.OURS], numbers[result.PEER])
    return Result(
        name=NAME,
        title="Validating a table",
        lead=LEAD,
        size={"rows": rows, "columns": len(tables.NUMBERS) + len(tables.WORDS)},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=1,
        sides=[
            Side(result.OURS, "airfoil.steps", "measure(scan, contract); measure_drift(reference, current)"),
            Side(
                result.PEER,
                "pandas and scipy",
                "frame = pd.read_parquet(folder); frame.isna().sum(); ((frame < low) | (frame > high)).sum();\n"
                "frame.mean(); frame.std(); frame.duplicated().sum(); ks_2samp(reference[column], frame[column])",
            ),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=agree(seen[result.OURS]["found"], seen[result.PEER]["found"]),
        goals=[
            Goal("Time, of the peer's", ratio["seconds"], MOST_SECONDS_SHARE),
            Goal("Memory, of the peer's", ratio["peak_mib"], MOST_MEMORY_SHARE),
        ],
        notes=NOTES,
        machine=machine.describe(),
        details={side: {"parts": one["parts"]} for side, one in seen.items()},
    )


def agree(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    """Whether both sides found the same: counts exactly, statistics as far as adding up in another order allows."""
    if ours.keys() != peer.keys():
        return False
    return all(
        math.isclose(ours[key], value, rel_tol=_tolerance(key), abs_tol=_tolerance(key))
        if isinstance(value, float)
        else ours[key] == value
        for key, value in peer.items()
    )


def _tolerance(key: str) -> float:
    return _TEST_TOLERANCE if key.startswith("drift.") else _MEAN_TOLERANCE


def _numbers(seen: Mapping[str, Any]) -> dict[str, float]:
    drift = seen["parts"]["drift"]
    whole = sum(seen["parts"].values())
    return {
        "seconds": whole,
        "quality_seconds": whole - drift,
        "drift_seconds": drift,
        "import_seconds": seen["import"],
        "peak_mib": seen["peak_mib"],
    }


def _measure(side: str, folder: Path, say: Progress) -> dict[str, Any]:
    arguments = ["-m", "benchmarks.validation", "--side", side, "--data", str(folder)]
    found = ask_python(arguments, f"{side} failed")
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["parts"].items())
    say(f"{side}: {parts}; {found['peak_mib']:.0f} MiB")
    return found


def _ours(folder: Path) -> dict[str, Any]:
    """In the process of our side."""
    began = time.perf_counter()
    import duckdb  # noqa: F401 - loaded here, so that it counts as an import
    import numpy as np  # noqa: F401 - as above
    import polars as pl  # noqa: F401 - as above
    import pyarrow.parquet  # noqa: F401 - as above
    import scipy.stats  # noqa: F401 - as above; the peer loads it before its clock starts too

    from airfoil.steps.drift.measurement import DriftPlan, measure_drift
    from airfoil.steps.quality.contract import ColumnRule, Contract
    from airfoil.steps.quality.measuring import measure
    from airfoil.steps.scans import Scan

    imports = time.perf_counter() - began
    rule = ColumnRule(nullable=False, at_least=tables.LOW, at_most=tables.HIGH)
    contract = Contract(columns=dict.fromkeys(tables.NUMBERS, rule))
    found: dict[str, Any] = {}
    parts: dict[str, float] = {}
    scans = {}
    for name in ("reference", "current"):
        began = time.perf_counter()
        scan = scans[name] = Scan.of_parquet(sorted((folder / name).glob("*.parquet")), name)
        measured = measure(scan, contract, count_duplicates=name == "current", examples=0, folder=folder)
        parts[name] = time.perf_counter() - began
        for column in measured.columns:
            found[f"{name}.{column.name}.missing"] = column.missing
            if column.mean is not None:
                found |= {
                    f"{name}.{column.name}.mean": column.mean,
                    f"{name}.{column.name}.std": column.deviation,
                }
        for question, count in zip(measured.questions, measured.counts, strict=True):
            if question.check == "range":
                found[f"{name}.{question.columns[0]}.outside"] = count.failed
        if measured.duplicate_rows is not None:
            found["duplicates"] = measured.duplicate_rows
    began = time.perf_counter()
    drift = measure_drift(scans["reference"], scans["current"], DriftPlan(columns=tables.NUMBERS))
    parts["drift"] = time.perf_counter() - began
    for one in drift.columns:
        found |= {f"drift.{one.name}.statistic": one.statistic, f"drift.{one.name}.p_value": one.p_value}
    return {"import": imports, "parts": parts, "found": found, "peak_mib": peak_mib()}


def _pandas(folder: Path) -> dict[str, Any]:
    """In the process of the peer's side."""
    began = time.perf_counter()
    import pandas as pd
    from scipy.stats import ks_2samp

    imports = time.perf_counter() - began
    found: dict[str, Any] = {}
    parts: dict[str, float] = {}
    frames = {}
    for name in ("reference", "current"):
        began = time.perf_counter()
        frame = frames[name] = pd.read_parquet(folder / name)
        numbers = frame[list(tables.NUMBERS)]
        missing, means, deviations = frame.isna().sum(), numbers.mean(), numbers.std()
        outside = ((numbers < tables.LOW) | (numbers > tables.HIGH)).sum()
        if name == "current":
            found["duplicates"] = int(frame.duplicated().sum())
        parts[name] = time.perf_counter() - began
        found |= {f"{name}.{column}.missing": int(value) for column, value in missing.items()}
        found |= {f"{name}.{column}.mean": float(value) for column, value in means.items()}
        found |= {f"{name}.{column}.std": float(value) for column, value in deviations.items()}
        found |= {f"{name}.{column}.outside": int(value) for column, value in outside.items()}
    began = time.perf_counter()
    for column in tables.NUMBERS:
        test = ks_2samp(*(frames[name][column].dropna().to_numpy() for name in ("reference", "current")))
        found[f"drift.{column}.statistic"] = float(test.statistic)
        found[f"drift.{column}.p_value"] = float(test.pvalue)
    parts["drift"] = time.perf_counter() - began
    return {"import": imports, "parts": parts, "found": found, "peak_mib": peak_mib()}


_SIDES: Mapping[str, Callable[[Path], dict[str, Any]]] = {result.OURS: _ours, result.PEER: _pandas}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the tables are written, some 2.5 GiB at full size")
    parser.add_argument("--large", action="store_true", help=f"our side alone, on {LARGE} times the rows")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
