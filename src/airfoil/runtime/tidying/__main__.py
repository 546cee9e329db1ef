"""Entry point: `python -m airfoil.runtime.tidying PART --days N [--dry-run]`; the last line it prints is JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path

from airfoil.errors import AirfoilError
from airfoil.runtime.tidying import folders, history, stored_logs, tracked

PARTS = ("airflow", "mlflow", "work", "logs")
_DAY_SECONDS = 86_400


def tidy(part: str, before: float, *, dry_run: bool) -> dict[str, int]:
    """Tidy up one part and return what went, or would go."""
    if part == "airflow":
        return history.clean(before, dry_run=dry_run)
    if part == "mlflow":
        return tracked.clean(
            os.environ["MLFLOW_BACKEND_STORE_URI"],
            os.environ["MLFLOW_ARTIFACTS_DESTINATION"],
            before,
            dry_run=dry_run,
        )
    from airflow.configuration import conf

    unfinished = history.unfinished_runs()
    if part == "work":
        root = Path(conf.get("airfoil", "work_area"))
        return folders.clean_work(root, before, unfinished, dry_run=dry_run)
    gone = folders.clean_logs(
        Path(conf.get("logging", "base_log_folder")), before, unfinished, dry_run=dry_run
    )
    place = str(conf.get("airfoil", "task_logs", fallback="") or "")
    if place:
        from airfoil.clients.bucket import Bucket

        stored = stored_logs.clean(Bucket(place, os.environ), before, unfinished, dry_run=dry_run)
        gone = {name: number + stored[name] for name, number in gone.items()}
    return gone


def main() -> None:
    """Tidy up, and answer."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.tidying", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--days", type=float, required=True)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the tools print; the answer is ours
            gone = tidy(options.part, time.time() - options.days * _DAY_SECONDS, dry_run=options.dry_run)
    except AirfoilError as error:
        sys.exit(error.in_full)
    print(json.dumps(gone))


if __name__ == "__main__":
    main()
