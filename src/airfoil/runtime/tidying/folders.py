"""Data and logs of DAG runs on disk: those that nothing has touched for long go, and those of unfinished runs stay.

Only folders that Airfoil and Airflow make for runs are looked at. Must not follow links.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from airfoil.clients.run_folders import SHARED, folder_name
from airfoil.runtime.tidying.history import RunId

_GOING = ".going-"
"""Begins the name of a folder that is being removed: a tidying that was killed is finished by the next."""


def clean_work(root: Path, before: float, unfinished: Iterable[RunId], *, dry_run: bool) -> dict[str, int]:
    """Remove the data of DAG runs that has not changed since a moment; versioned results are tidied by their DAGs."""
    kept = {(folder_name(run.dag_id), folder_name(run.run_id)) for run in unfinished}
    count = freed = 0
    for dag in _folders(root):
        if dag.name == SHARED or dag.name.startswith("."):
            continue
        for run in _folders(dag):
            if not run.name.startswith(_GOING) and ((dag.name, run.name) in kept or _changed(run) >= before):
                continue
            count += 1
            freed += _bytes(run)
            if not dry_run:
                _remove(run)
        if not dry_run:
            _remove_if_empty(dag)
    return {"run folders": count, "bytes": freed}


def clean_logs(root: Path, before: float, unfinished: Iterable[RunId], *, dry_run: bool) -> dict[str, int]:
    """Remove log files that have not grown since a moment, and folders that are empty then."""
    kept = {(f"dag_id={run.dag_id}", f"run_id={run.run_id}") for run in unfinished}
    count = freed = 0
    for folder, _, files in os.walk(root, topdown=False):
        here = Path(folder)
        if here.relative_to(root).parts[:2] in kept:
            continue
        for name in files:
            path = here / name
            with suppress(OSError):  # a log that was moved meanwhile
                facts = path.lstat()
                if facts.st_mtime < before and not path.is_symlink():
                    count, freed = count + 1, freed + facts.st_size
                    if not dry_run:
                        path.unlink()
        if here != root and not dry_run and _changed_alone(here) < before:
            _remove_if_empty(here)
    return {"log files": count, "bytes": freed}


def _remove(folder: Path) -> None:
    """Remove a folder so that nobody finds half of it."""
    going = folder
    if not folder.name.startswith(_GOING):
        going = folder.with_name(f"{_GOING}{folder.name}")
        folder.rename(going)
    shutil.rmtree(going, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def _changed(folder: Path) -> float:
    """Return when anything in a folder last changed."""
    return max(_changed_alone(path) for path in (folder, *_below(folder)))


def _changed_alone(path: Path) -> float:
    with suppress(OSError):
        return path.lstat().st_mtime
    return 0.0


def _bytes(folder: Path) -> int:
    total = 0
    for path in _below(folder):
        with suppress(OSError):
            total += path.lstat().st_size if path.is_file() and not path.is_symlink() else 0
    return total


def _below(folder: Path) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        yield from (Path(inside) / name for name in (*folders, *files))
