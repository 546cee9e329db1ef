"""What it takes to learn how long taxi trips take by linear regression, beside the way of the tutorials.

`python -m benchmarks.taxi_linear`, or `make bench NAME=taxi_linear`. Two months of 3.4 million trips. `--large` adds up
24 months on our side alone, beside a bare scan of the columns that are needed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, result, taxi_tutorial
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.taxi_months import ROWS, TRAIN, VALIDATION, write_months
from benchmarks.trial import hold, options_of

NAME = "taxi_linear"
MONTHS = 24
MOST_SECONDS_SHARE, MOST_MEMORY_SHARE = 1 / 40, 1 / 15
MOST_LARGE_MIB, MOST_OF_SCAN = 400.0, 2.5
RMSE_TOLERANCE = 1e-6
_QUIET_SECONDS = 180.0
_STAGES = ("read", "vectorise", "fit")
_DISTRIBUTIONS = ("airfoil", "duckdb", "numpy", "pyarrow", "pandas", "scikit-learn")
FIGURES = (
    Figure("seconds", "Two months read, trained on and tested on", "s", 2, is_plotted=True),
    Figure("import_seconds", "The imports", "s", 2),
    Figure("peak_mib", "Memory of the largest process", "MiB", 0, is_plotted=True),
)
LEAD = (
    "Linear regression of minutes on one-hot zones and distance: a month to learn from, a month to be tested on. "
    "Airfoil adds up a few sums for each pair of zones and solves the normal equations; the tutorials' way makes a "
    "dict of each trip and a sparse matrix of the dicts, in three processes with pickles between them."
)
NOTES = (
    "Made-up trips with the columns and types of the published files; 2.3 % last less than a minute or over an hour.",
    "Equal: the error on the second month to 1e-6 of the peer's solver run to its end; on the first no larger.",
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
    return assemble({side: _measure(side, folder, say) for side in ("ours", *_STAGES)}, rows)


def _write(folder: Path, scale: float, say: Progress) -> int:
    rows = max(2000, round(ROWS * scale))
    write_months(folder, rows)
    say(f"wrote two months of {rows} rows")
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    return rows


def assemble(seen: Mapping[str, Mapping[str, Any]], rows: int) -> Result:
    """The result of our process and the peer's three."""
    peers = [seen[stage] for stage in _STAGES]
    numbers = {
        result.OURS: _numbers([seen["ours"]]),
        result.PEER: _numbers(peers),
    }
    ratio = result.ratios(numbers[result.OURS], numbers[result.PEER])
    return Result(
        name=NAME,
        title="Taxi trips: linear regression",
        lead=LEAD,
        size={"rows": 2 * rows},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=1,
        sides=[
            Side(
                result.OURS,
                "airfoil.steps.taxi",
                "fit_zone_regression(sum_trips([train])); regression_error(...)",
            ),
            Side(
                result.PEER,
                "pandas, DictVectorizer, LinearRegression",
                "frame.duration.apply(...); DictVectorizer().fit_transform(frame[columns].to_dict('records'));\n"
                "pickle.dump(...); LinearRegression().fit(matrix, minutes)",
            ),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=agree(seen["ours"]["found"], seen["fit"]["found"]),
        goals=[
            Goal("Time, of the peer's", ratio["seconds"], MOST_SECONDS_SHARE),
            Goal("Memory, of the peer's", ratio["peak_mib"], MOST_MEMORY_SHARE),
        ],
        notes=NOTES,
        machine=machine.describe(),
        details={side: dict(one) for side, one in seen.items()},
    )


def agree(ours: Mapping[str, float], peer: Mapping[str, float]) -> bool:
    """Whether both sides are as good on trips they have not seen, and we no worse on those they have."""
    is_as_good = abs(ours["rmse"] - peer["converged_rmse"]) <= RMSE_TOLERANCE
    return is_as_good and ours["train_rmse"] <= peer["train_rmse"] + 1e-9


def _numbers(parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        "seconds": sum(part["seconds"] for part in parts),
        "import_seconds": sum(part["import"] for part in parts),
        "peak_mib": max(part["peak_mib"] for part in parts),
    }


def _measure(side: str, folder: Path, say: Progress) -> dict[str, Any]:
    arguments = ["-m", "benchmarks.taxi_linear", "--side", side, "--data", str(folder)]
    seen = ask_python(arguments, f"The side '{side}' failed")
    say(f"{side}: {seen['seconds']:.2f} s and {seen['import']:.1f} s of imports, {seen['peak_mib']:.0f} MiB")
    return seen


def _large(folder: Path, scale: float, say: Progress) -> int:
    rows = _write(folder, scale, say)
    scan, ours = (_measure(side, folder, say) for side in ("scan", "large"))
    share = ours["seconds"] / scan["seconds"]
    print(
        json.dumps(
            {
                "name": f"{NAME} --large",
                "rows": MONTHS * rows,
                "seconds": round(ours["seconds"], 3),
                "scan_seconds": round(scan["seconds"], 3),
                "of_scan": round(share, 3),
                "peak_mib": round(ours["peak_mib"], 1),
            }
        )
    )
    return int(share > MOST_OF_SCAN or ours["peak_mib"] > MOST_LARGE_MIB)


def _ours(folder: Path) -> dict[str, Any]:
    """In the process of our side."""
    began = time.perf_counter()
    import duckdb  # noqa: F401 - its import is not the work
    import numpy as np  # noqa: F401 - as above
    import pyarrow.parquet  # noqa: F401 - as above

    from airfoil.steps.scans import Scan
    from airfoil.steps.taxi.least_squares import fit_zone_regression, regression_error
    from airfoil.steps.taxi.trip_sums import sum_trips

    imports = time.perf_counter() - began
    began = time.perf_counter()
    train = sum_trips([Scan.of_parquet([folder / TRAIN])], folder=folder)
    model = fit_zone_regression(train)
    validation = sum_trips([Scan.of_parquet([folder / VALIDATION])], folder=folder)
    found = {"train_rmse": regression_error(train, model), "rmse": regression_error(validation, model)}
    seconds = time.perf_counter() - began
    return {"import": imports, "seconds": seconds, "peak_mib": peak_mib(), "found": found}


def _many(folder: Path) -> dict[str, Any]:
    """In a process of our side: two years, which are the same two months again and again."""
    from airfoil.steps.scans import Scan
    from airfoil.steps.taxi.least_squares import fit_zone_regression
    from airfoil.steps.taxi.trip_sums import sum_trips

    began = time.perf_counter()
    scans = [Scan.of_parquet([folder / name]) for name in (TRAIN, VALIDATION) * (MONTHS // 2)]
    fit_zone_regression(sum_trips(scans, folder=folder))
    return {"import": 0.0, "seconds": time.perf_counter() - began, "peak_mib": peak_mib()}


def _scan(folder: Path) -> dict[str, Any]:
    """In a process of its own: the same files, read and decoded, and nothing done with them but a sum."""
    from airfoil.steps.duckdb_engine import duckdb_engine
    from airfoil.steps.scans import Scan

    columns = (
        "tpep_pickup_datetime",
        "tpep_dropoff_datetime",
        "PULocationID",
        "DOLocationID",
        "trip_distance",
    )
    began = time.perf_counter()
    with duckdb_engine(folder) as connection:
        files = [folder / name for name in (TRAIN, VALIDATION) * (MONTHS // 2)]
        relation = Scan.of_parquet(files).relation(connection)
        relation.aggregate(", ".join(f"max({column})" for column in columns)).fetchall()
    return {"import": 0.0, "seconds": time.perf_counter() - began, "peak_mib": peak_mib()}


_SIDES: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "ours": _ours,
    "large": _many,
    "scan": _scan,
    "read": taxi_tutorial.read,
    "vectorise": lambda folder: taxi_tutorial.vectorise(folder, with_distance=True),
    "fit": taxi_tutorial.fit_linear,
}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the months are written, some 3 GiB at full size")
    parser.add_argument("--large", action="store_true", help=f"our side alone, on {MONTHS} months")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
