"""What it takes to learn how long taxi trips take with boosted trees, beside the way of the tutorials.

`python -m benchmarks.taxi_xgboost`, or `make bench NAME=taxi_xgboost`. Two months of 3.4 million trips; once on zones
alone, where trips of a pair become one weighted row, and once with the distance, where those of a pair and a bin do.
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

NAME = "taxi_xgboost"
ZONES, DISTANCE = "zones", "distance"
MOST_SECONDS_SHARE = {ZONES: 1 / 8, DISTANCE: 1 / 6}
MOST_MEMORY_SHARE = {ZONES: 1 / 6, DISTANCE: 1 / 4}
# Zones give the same trees. Bins of distance are cut by an approximate sketch, on either side another.
RMSE_TOLERANCE = {ZONES: 1e-5, DISTANCE: 1e-2}
_QUIET_SECONDS = 180.0
_DISTRIBUTIONS = ("airfoil", "duckdb", "numpy", "pyarrow", "pandas", "scikit-learn", "xgboost-cpu")
FIGURES = (
    Figure("zones_seconds", "Two months, zones alone", "s", 2, is_plotted=True),
    Figure("zones_peak_mib", "Memory of the largest process, zones alone", "MiB", 0, is_plotted=True),
    Figure("distance_seconds", "Two months, zones and distance", "s", 2, is_plotted=True),
    Figure(
        "distance_peak_mib", "Memory of the largest process, zones and distance", "MiB", 0, is_plotted=True
    ),
    Figure("import_seconds", "The imports, zones alone", "s", 2),
)
LEAD = (
    f"Boosted trees ({taxi_tutorial.ROUNDS} rounds, depth {taxi_tutorial.MAX_DEPTH}): a month to learn from, a month "
    "to be tested on. On zones alone Airfoil trains on one weighted row for each pair of zones, which is exact under "
    "squared loss; with the distance, on one for each pair and bin of miles: trees know miles by 256 bins anyway."
)
NOTES = (
    "Made-up trips with the columns and types of the published files; 2.3 % last less than a minute or over an hour.",
    "Equal: the error on the second month no larger than the peer's, to 1e-5 on zones alone, 1e-2 with the distance.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_SIDES[options.side](Path(options.data))))
        return 0
    return hold(NAME, _compare, options)


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    rows = max(2000, round(ROWS * scale))
    write_months(folder, rows)
    say(f"wrote two months of {rows} rows")
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    # The first task of the peer is the same for both; the others write over each other's pickles.
    return assemble({side: _measure(side, folder, say) for side in _SIDES}, rows)


def assemble(seen: Mapping[str, Mapping[str, Any]], rows: int) -> Result:
    """The result of our two processes and the peer's five."""
    ours = {kind: [seen[f"ours-{kind}"]] for kind in (ZONES, DISTANCE)}
    peer = {
        kind: [seen["read"], seen[f"vectorise-{kind}"], seen[f"fit-{kind}"]] for kind in (ZONES, DISTANCE)
    }
    numbers = {result.OURS: _numbers(ours), result.PEER: _numbers(peer)}
    ratio = result.ratios(numbers[result.OURS], numbers[result.PEER])
    goals = []
    for kind in (ZONES, DISTANCE):
        goals += [
            Goal(f"Time, of the peer's, {kind}", ratio[f"{kind}_seconds"], MOST_SECONDS_SHARE[kind]),
            Goal(f"Memory, of the peer's, {kind}", ratio[f"{kind}_peak_mib"], MOST_MEMORY_SHARE[kind]),
        ]
    return Result(
        name=NAME,
        title="Taxi trips: boosted trees",
        lead=LEAD,
        size={"rows": 2 * rows},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=1,
        sides=[
            Side(
                result.OURS, "airfoil.steps.taxi", "train_trees([train], TreeParameters(with_distance=...))"
            ),
            Side(
                result.PEER,
                "pandas, DictVectorizer, xgb.train",
                "frame.duration.apply(...); DictVectorizer().fit_transform(frame[columns].to_dict('records'));\n"
                "pickle.dump(...); xgb.train(settings, xgb.DMatrix(matrix, label=minutes), num_boost_round=30)",
            ),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=all(
            seen[f"ours-{kind}"]["found"]["rmse"]
            <= seen[f"fit-{kind}"]["found"]["rmse"] + RMSE_TOLERANCE[kind]
            for kind in (ZONES, DISTANCE)
        ),
        goals=goals,
        notes=NOTES,
        machine=machine.describe(),
        details={side: dict(one) for side, one in seen.items()},
    )


def _numbers(kinds: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, float]:
    found = {"import_seconds": sum(part["import"] for part in kinds[ZONES])}
    for kind, parts in kinds.items():
        found[f"{kind}_seconds"] = sum(part["seconds"] for part in parts)
        found[f"{kind}_peak_mib"] = max(part["peak_mib"] for part in parts)
    return found


def _measure(side: str, folder: Path, say: Progress) -> dict[str, Any]:
    arguments = ["-m", "benchmarks.taxi_xgboost", "--side", side, "--data", str(folder)]
    seen = ask_python(arguments, f"The side '{side}' failed")
    say(f"{side}: {seen['seconds']:.2f} s and {seen['import']:.1f} s of imports, {seen['peak_mib']:.0f} MiB")
    return seen


def _ours(folder: Path, *, with_distance: bool) -> dict[str, Any]:
    """In the process of our side."""
    began = time.perf_counter()
    import duckdb  # noqa: F401 - its import is not the work
    import xgboost  # noqa: F401 - as above

    from airfoil.steps.scans import Scan
    from airfoil.steps.taxi.boosted_trees import TreeParameters, train_trees, tree_predictions
    from airfoil.steps.taxi.evaluation import evaluate_trips
    from airfoil.steps.taxi.trip_sums import sum_trips

    imports = time.perf_counter() - began
    began = time.perf_counter()
    told = TreeParameters(
        rounds=taxi_tutorial.ROUNDS,
        max_depth=taxi_tutorial.MAX_DEPTH,
        learning_rate=taxi_tutorial.LEARNING_RATE,
        with_distance=with_distance,
    )
    train, validation = (Scan.of_parquet([folder / name]) for name in (TRAIN, VALIDATION))
    predict = tree_predictions(train_trees([train], told, folder=folder), told)
    if with_distance:
        rmse = evaluate_trips([validation], predict, folder=folder).rmse
    else:
        sums = sum_trips([validation], with_distance=False, folder=folder)
        minutes = predict(sums.pickup_zones, sums.dropoff_zones, sums.distance)
        rmse = (sums.squared_error(minutes.astype("float64")) / sums.total) ** 0.5
    seconds = time.perf_counter() - began
    return {"import": imports, "seconds": seconds, "peak_mib": peak_mib(), "found": {"rmse": float(rmse)}}


_SIDES: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "ours-zones": lambda folder: _ours(folder, with_distance=False),
    "ours-distance": lambda folder: _ours(folder, with_distance=True),
    "read": taxi_tutorial.read,
    "vectorise-zones": lambda folder: taxi_tutorial.vectorise(folder, with_distance=False),
    "fit-zones": taxi_tutorial.fit_trees,
    "vectorise-distance": lambda folder: taxi_tutorial.vectorise(folder, with_distance=True),
    "fit-distance": taxi_tutorial.fit_trees,
}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the months are written, some 3 GiB at full size")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
