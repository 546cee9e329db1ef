"""A training set of a million rows from twenty million feature rows: `join_features` against Feast's duckdb store.

`python -m benchmarks.point_in_time`, or `make bench NAME=point_in_time`. Both start from the same Feast repository and
the same Parquet file of rows, and end with an Arrow table; each in a process of its own, imports measured apart. Where
Feast does not finish in ten minutes or 20 GiB, both are compared at half the size, and so on, and the result says so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import machine, result
from benchmarks.contender import BenchmarkError, clean_environment
from benchmarks.progress import Progress
from benchmarks.purchases import FEATURES, TTLS, Purchases
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ROOT, peak_mib
from benchmarks.trial import hold, options_of

NAME = "point_in_time"
FEATURE_ROWS, ENTITY_ROWS = 20_000_000, 1_000_000
REPEATS = 3
MOST_SHARE = 1 / 8
_MOST_SECONDS, _MOST_MIB = 600.0, 20 * 1024.0
_ENOUGH_SECONDS = 300.0
"""A peer that took this long is not asked again."""
_LEAST_SHARE = 1 / 64
_QUIET_SECONDS = 180.0
_LOOK_SECONDS = 0.2
_DISTRIBUTIONS = ("airfoil", "duckdb", "feast", "ibis-framework", "polars", "pyarrow")
FIGURES = (
    Figure("seconds", "Features that stay valid for ever", "s", 1, is_plotted=True),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0, is_plotted=True),
    Figure("ttl_seconds", "Features with a TTL of 30 days", "s", 1, is_plotted=True),
    Figure("ttl_peak_mib", "Memory of the process at its largest", "MiB", 0),
    Figure("import_seconds", "The imports, and opening the repository", "s", 1),
)
LEAD = (
    "For each row to train on, the newest features that were known at its moment. Feature rows go by once and are "
    "never sorted; Feast pairs every row with all feature rows of its key that are still valid, and ranks the pairs."
)
NOTES = (
    "Ten features, a hundred feature rows for each key over 90 days; rows of a key tie in their moment.",
    "Timed once the libraries are loaded, without a TTL (Feast's default) and with one.",
    "Both read the repository's registry, the feature rows and the rows to train on, and give an Arrow table.",
    "Results must have every row once, and equal features to the last bit.",
    "Imports: Feast, what each side joins with, and what Feast loads to open a repository.",
)


class TooLargeError(BenchmarkError):
    """A side did not finish within its time or its memory; the message says which."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        data = Purchases(Path(options.data), options.feature_rows, options.entity_rows)
        print(json.dumps(_SIDES[options.side](data, options.view)))
        return 0
    return hold(NAME, measure, options)


def measure(folder: Path, scale: float, say: Progress) -> Result:
    """Ours at the size that was asked for; both at the largest size that the peer can do."""
    share, refusals, whole = 1.0, [], None
    while True:
        data = Purchases(
            folder / f"{share:g}", round(FEATURE_ROWS * scale * share), round(ENTITY_ROWS * scale * share)
        )
        say(f"{data.entity_rows:,} rows against {data.feature_rows:,} feature rows")
        _run("prepare", data)
        machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
        ours = _both(result.OURS, data)
        whole = whole or ours
        say(f"ours: {_told(ours)}")
        try:
            peer = _both(result.PEER, data)
        except TooLargeError as refusal:
            say(f"Feast: {refusal}")
            refusals.append(f"Feast's store at {data.entity_rows:,} x {data.feature_rows:,} rows: {refusal}.")
            shutil.rmtree(data.folder)
            share /= 2
            if share < _LEAST_SHARE:
                raise
            continue
        say(f"Feast: {_told(peer)}")
        if refusals:
            refusals.append(f"Ours at the full size: {_told(whole)}.")
        equal = all(_run("compare", data, view)["equal"] for view in TTLS)
        return assemble(data, {result.OURS: ours, result.PEER: peer}, equal=equal, refusals=refusals)


def assemble(
    data: Purchases,
    seen: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    equal: bool,
    refusals: Sequence[str] = (),
) -> Result:
    """The result of both sides."""
    numbers = {
        side: {figure.key: _median(runs, figure.key) for figure in FIGURES} for side, runs in seen.items()
    }
    share = numbers[result.OURS]["seconds"] / numbers[result.PEER]["seconds"]
    return Result(
        name=NAME,
        title="Training sets",
        lead=LEAD,
        size={"feature_rows": data.feature_rows, "entity_rows": data.entity_rows, "features": len(FEATURES)},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=min(len(runs) for runs in seen.values()),
        sides=[
            Side(
                result.OURS,
                "join_features",
                "plan = resolve_features(store, references)\njoin_features(rows, tables_of(plan)).read_all()",
            ),
            Side(
                result.PEER,
                "Feast, duckdb store",
                "store.get_historical_features(rows, references).to_arrow()",
            ),
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=equal,
        goals=[Goal("Time without a TTL, against Feast's duckdb store", share, MOST_SHARE)],
        notes=[*NOTES, *refusals],
        machine=machine.describe(),
        details={side: {"seconds": [run["seconds"] for run in runs]} for side, runs in seen.items()},
    )


def _ours(data: Purchases, view: str) -> dict[str, Any]:
    """In the process of our side."""
    began = time.perf_counter()
    import feast  # noqa: F401 - measured here
    import polars  # noqa: ICN001, F401 - measured here
    import pyarrow.parquet as pq

    from airfoil.clients.training_sets import resolve_features
    from airfoil.steps.scans import Scan
    from airfoil.steps.training_sets import FeatureTable, join_features

    store = data.store()
    imported = time.perf_counter()
    (source,) = resolve_features(store, _references(view)).sources
    table = FeatureTable.of(source, Scan.of_parquet([data.features]))
    joined = join_features(Scan.of_parquet([data.entities]), [table]).read_all()
    figures = _figures(began, imported)
    pq.write_table(joined, _made(data, result.OURS, view))
    return figures


def _peer(data: Purchases, view: str) -> dict[str, Any]:
    """In the process of the peer's side."""
    began = time.perf_counter()
    import feast  # noqa: F401 - measured here
    import pyarrow.parquet as pq
    from feast.infra.offline_stores import duckdb  # noqa: F401 - measured here

    store = data.store()
    imported = time.perf_counter()
    rows = pq.read_table(data.entities).to_pandas()
    found = store.get_historical_features(entity_df=rows, features=_references(view)).to_arrow()
    figures = _figures(began, imported)
    pq.write_table(found, _made(data, result.PEER, view))
    return figures


def _prepare(data: Purchases, _view: str) -> dict[str, Any]:
    data.write()
    return {}


def _compare(data: Purchases, view: str) -> dict[str, Any]:
    """Whether both have every row once and the same features, and ours are in the order of the rows."""
    import polars as pl

    rows = pl.read_parquet(data.entities)["row"]
    ours, peer = (
        pl.read_parquet(_made(data, side, view), columns=["row", *FEATURES])
        for side in (result.OURS, result.PEER)
    )
    is_whole = ours["row"].equals(rows) and len(peer) == len(rows)
    has_both = 0 < ours[FEATURES[0]].null_count() < len(ours)
    return {"equal": is_whole and has_both and ours.equals(peer.sort("row").select(ours.columns))}


_SIDES: Mapping[str, Callable[[Purchases, str], dict[str, Any]]] = {
    "prepare": _prepare,
    result.OURS: _ours,
    result.PEER: _peer,
    "compare": _compare,
}


def _figures(began: float, imported: float) -> dict[str, float]:
    return {
        "import_seconds": imported - began,
        "seconds": time.perf_counter() - imported,
        "peak_mib": peak_mib(),
    }


def _references(view: str) -> list[str]:
    return [f"{view}:{feature}" for feature in FEATURES]


def _made(data: Purchases, side: str, view: str) -> Path:
    return data.folder / f"{side}-{view}.parquet"


def _both(side: str, data: Purchases) -> list[dict[str, float]]:
    """Run a side on both views, often enough to trust the figures."""
    runs: list[dict[str, float]] = []
    while len(runs) < REPEATS and not (runs and runs[0]["seconds"] > _ENOUGH_SECONDS):
        valid_for_ever, with_ttl = (_run(side, data, view) for view in TTLS)
        runs.append(
            valid_for_ever | {"ttl_seconds": with_ttl["seconds"], "ttl_peak_mib": with_ttl["peak_mib"]}
        )
    return runs


def _told(runs: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(
        f"{_median(runs, figure.key):,.{figure.digits}f} {figure.unit}" for figure in FIGURES[:-1]
    )


def _median(runs: Sequence[Mapping[str, float]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _run(side: str, data: Purchases, view: str = "") -> dict[str, Any]:
    """Run a side in a process of its own, and end it when it takes too long or too much."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.point_in_time", "--side", side]
    command += ["--data", str(data.folder), "--feature-rows", str(data.feature_rows)]
    command += ["--entity-rows", str(data.entity_rows), "--view", view]
    data.folder.mkdir(parents=True, exist_ok=True)
    said = data.folder / f"{side}.log"
    with said.open("wb") as log, (data.folder / f"{side}.json").open("w+b") as answer:
        process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=answer, stderr=log)
        try:
            _watch(process)
        finally:
            process.kill()
            process.wait(30)
        if process.returncode:
            words = said.read_text(encoding="utf-8", errors="replace")
            if "Out of Memory" in words or process.returncode < 0:
                raise TooLargeError("it ran out of memory")
            raise BenchmarkError(f"{side} failed:\n{words[-3000:]}")
        answer.seek(0)
        found: dict[str, Any] = json.loads(answer.read().splitlines()[-1])
    return found


def _watch(process: subprocess.Popen[bytes]) -> None:
    until, memory = time.monotonic() + _MOST_SECONDS, psutil.Process(process.pid)
    while process.poll() is None:
        if time.monotonic() > until:
            raise TooLargeError(f"it did not finish in {_MOST_SECONDS / 60:.0f} minutes")
        try:
            used = memory.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            return
        if used > _MOST_MIB:
            raise TooLargeError(f"it needs more than {_MOST_MIB / 1024:.0f} GiB")
        time.sleep(_LOOK_SECONDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the data is written, 3 GB at full size")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--view", default="", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    parser.add_argument("--feature-rows", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--entity-rows", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
