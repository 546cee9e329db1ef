"""What it takes to score every row of a table by an Isolation Forest: in batches, against scikit-learn on all at once.

`python -m benchmarks.anomaly`, or `make bench NAME=anomaly`. Each side is a process of its own on the same files,
trains on the same rows with the same seed, and leaves its scores; imports are measured apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, result
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.trial import hold, options_of

NAME = "anomaly"
ROWS = 10_000_000
COLUMNS = tuple(f"n{number}" for number in range(10))
SAMPLE_ROWS, TREES, SEED = 10_000, 100, 7
MOST_MIB = 1024.0
_PART_ROWS, _GROUP_ROWS = 1_000_000, 250_000
_COMPARED_EVERY = 97
_TOLERANCE = 1e-12
_QUIET_SECONDS = 180.0
_DISTRIBUTIONS = ("airfoil", "scikit-learn", "pyarrow", "pandas")
FIGURES = (
    Figure("seconds", "Trained and every row scored, reading included", "s", 1, is_plotted=True),
    Figure("import_seconds", "The imports", "s", 2),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0, is_plotted=True),
)
LEAD = "Every row of a table gets a score that says how easily it is told apart from the others."
NOTES = (
    f"Ten columns of numbers; a forest of {TREES} trees, trained on {SAMPLE_ROWS} rows.",
    "scikit-learn scores the table as it is mostly done: read whole with pandas, one call.",
    f"Equal: one score in {_COMPARED_EVERY}, to 1e-12.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_SIDES[options.side](Path(options.data))))
        return 0
    return hold(NAME, _compare, options)


def _compare(folder: Path, scale: float, say: Progress) -> Result:
    rows = max(SAMPLE_ROWS, round(ROWS * scale))
    _write_table(folder, rows)
    say(f"wrote {rows} rows")
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    seen = {side: _measure(side, folder, say) for side in (result.OURS, result.PEER)}
    return assemble(seen, rows, equal=_agree(folder))


def assemble(seen: Mapping[str, Mapping[str, float]], rows: int, *, equal: bool) -> Result:
    """The result of both sides."""
    return Result(
        name=NAME,
        title="Scoring anomalies",
        lead=LEAD,
        size={"rows": rows, "columns": len(COLUMNS), "trees": TREES},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=1,
        sides=[
            Side(result.OURS, "airfoil.steps.anomaly", "measure_anomalies(scan, plan=plan)"),
            Side(
                result.PEER,
                "scikit-learn",
                f"frame = pd.read_parquet(folder)\nIsolationForest(n_estimators={TREES}, random_state={SEED})"
                ".fit(sample).score_samples(frame)",
            ),
        ],
        figures=FIGURES,
        numbers=seen,
        equal=equal,
        goals=[Goal("Memory", seen[result.OURS]["peak_mib"], MOST_MIB, "MiB")],
        notes=NOTES,
        machine=machine.describe(),
    )


def _measure(side: str, folder: Path, say: Progress) -> dict[str, float]:
    arguments = ["-m", "benchmarks.anomaly", "--side", side, "--data", str(folder)]
    found = ask_python(arguments, f"{side} failed")
    say(f"{side}: {found['seconds']:.1f} s, {found['peak_mib']:.0f} MiB")
    return found


def _ours(folder: Path) -> dict[str, float]:
    """In the process of our side: the product's own way from a scan to a report, and beside it some of the scores."""
    began = time.perf_counter()
    import numpy as np
    import pyarrow.parquet  # noqa: F401 - loaded here, so that it counts as an import
    import sklearn.ensemble  # noqa: F401 - as above

    from airfoil.steps.anomaly.forest import Forest
    from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
    from airfoil.steps.scans import Scan

    imports = time.perf_counter() - began
    kept: list[Any] = []
    scores_of = Forest.scores

    def noted(forest: Forest, rows: Any) -> Any:
        found = scores_of(forest, rows)
        kept.append(found.astype(np.float64))
        return found

    # A stand-in that writes down what goes by: the report itself keeps no scores.
    Forest.scores = noted  # type: ignore[method-assign,assignment]
    plan = AnomalyPlan(sample_rows=SAMPLE_ROWS, trees=TREES, seed=SEED, top=0)
    files = sorted(folder.glob("*.parquet"))
    began = time.perf_counter()
    measured = measure_anomalies(Scan.of_parquet(files, "table"), plan=plan)
    seconds = time.perf_counter() - began
    every = np.concatenate(kept)[-measured.rows :]
    np.save(folder / f"{result.OURS}.npy", every[::_COMPARED_EVERY])
    return {"import_seconds": imports, "seconds": seconds, "peak_mib": peak_mib()}


def _peer(folder: Path) -> dict[str, float]:
    """In the process of the peer's side; the sample is ours, because the same forest needs the same rows."""
    began = time.perf_counter()
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import IsolationForest

    imports = time.perf_counter() - began
    from airfoil.steps.anomaly.sample import RowSample

    began = time.perf_counter()
    rows = pd.read_parquet(sorted(folder.glob("*.parquet"))).to_numpy()
    sample = RowSample(SAMPLE_ROWS, SEED)
    sample.add(rows)
    forest = IsolationForest(n_estimators=TREES, random_state=SEED).fit(sample.rows())
    scores = -forest.score_samples(rows)
    seconds = time.perf_counter() - began
    np.save(folder / f"{result.PEER}.npy", scores[::_COMPARED_EVERY])
    return {"import_seconds": imports, "seconds": seconds, "peak_mib": peak_mib()}


_SIDES: Mapping[str, Callable[[Path], dict[str, float]]] = {result.OURS: _ours, result.PEER: _peer}


def _agree(folder: Path) -> bool:
    import numpy as np

    ours, peer = (np.load(folder / f"{side}.npy") for side in (result.OURS, result.PEER))
    return ours.shape == peer.shape and bool((np.abs(ours - peer) <= _TOLERANCE).all())


def _write_table(folder: Path, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    for part, start in enumerate(range(0, rows, _PART_ROWS)):
        random = np.random.default_rng((SEED, part))
        size = min(_PART_ROWS, rows - start)
        table = pa.table({name: random.normal(size=size) for name in COLUMNS})
        pq.write_table(table, folder / f"{part:04d}.parquet", row_group_size=_GROUP_ROWS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the table is written, some 0.9 GiB at full size")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
