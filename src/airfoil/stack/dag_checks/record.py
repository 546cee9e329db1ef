"""What the last check of a project's text found, in a file: written by the checker, read by the status page.

Standard library only: the page keeps this module loaded for weeks, and never the rules.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA = 1
FILE = "checks.json"
MOST_FAULTS = 200
"""More are counted, not kept: a page is no place to read them."""
_SKIPPED = {"__pycache__", "node_modules", "site-packages"}


@dataclass(frozen=True)
class CheckRecord:
    """One check."""

    mark: str
    """Of the files as they were; another mark means that something changed."""
    folders: tuple[str, ...]
    files: int
    errors: int
    warnings: int
    faults: tuple[dict[str, Any], ...]


def mark_of(folders: Iterable[str]) -> str:
    """Give the mark of all Python files below some folders, by name, time and size, without reading them."""
    digest = hashlib.sha256()
    for folder in folders:
        for path, stat in sorted(_python_files(folder)):
            digest.update(f"{path}\0{stat}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _python_files(folder: str) -> Iterator[tuple[str, str]]:
    for here, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".") and name not in _SKIPPED]
        for name in names:
            if name.endswith(".py") or name == ".airflowignore":
                path = os.path.join(here, name)  # noqa: PTH118 - called every few seconds; a Path each is ten times slower
                try:
                    stat = os.stat(path)  # noqa: PTH116 - as above
                except OSError:
                    continue
                yield path, f"{stat.st_mtime_ns} {stat.st_size}"


def record_of(mark: str, folders: tuple[str, ...], files: int, rows: list[dict[str, Any]]) -> CheckRecord:
    """Count and cut what a check found."""
    errors = sum(row["severity"] == "error" for row in rows)
    return CheckRecord(mark, folders, files, errors, len(rows) - errors, tuple(rows[:MOST_FAULTS]))


def save(run: Path, record: CheckRecord) -> None:
    """Write the record into the folder of what lives while the stack runs."""
    write_private(run / FILE, json.dumps({"schema": SCHEMA, **asdict(record)}))


def load(run: Path) -> CheckRecord | None:
    """Read the record; what cannot be read is none."""
    try:
        found = json.loads((run / FILE).read_text(encoding="utf-8"))
        if found.pop("schema") != SCHEMA:
            return None
        return CheckRecord(**{**found, "folders": tuple(found["folders"]), "faults": tuple(found["faults"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
