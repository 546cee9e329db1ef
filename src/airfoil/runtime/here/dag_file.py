"""Finds a DAG in the project's files and imports its file the way a real task process does.

Airflow is imported inside the functions: the session decides when, after its environment is set.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.runtime.here.channel import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLE = "dags-folder"


class DoesNotImportError(Exception):
    """A DAG file failed; the text is what Python said."""


@dataclass(frozen=True)
class FoundDag:
    """A DAG and where it stands."""

    dag: Any
    file: str
    """Relative to the DAG folder."""


def find_dag(folder: Path, dag_id: str) -> FoundDag:
    """Import DAG files, those that name the DAG first, until it is found."""
    if str(folder) not in sys.path:
        # Helpers beside the DAG files are importable in tasks, and so here.
        sys.path.append(str(folder))
    known: list[str] = []
    broken: dict[str, str] = {}
    for file in sorted(dag_files(folder), key=lambda path: (dag_id not in text_of(path), str(path))):
        bag = import_file(folder, file)
        if dag_id in bag.dags:
            return FoundDag(bag.dags[dag_id], str(file.relative_to(folder)))
        for name, reason in bag.import_errors.items():
            broken[str(name)] = str(reason)
            if dag_id in text_of(file):
                raise DoesNotImportError(str(reason))
        known += list(bag.dags)
    if broken:
        raise DoesNotImportError(next(iter(broken.values())))
    near = difflib.get_close_matches(dag_id, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise Refusal(f"There is no DAG {dag_id} in {folder}.{hint}")


def import_file(folder: Path, file: Path) -> Any:
    """Import one file as Airflow's task process does."""
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(
        dag_folder=os.fspath(file),
        safe_mode=False,
        load_op_links=False,
        bundle_path=folder,
        bundle_name=BUNDLE,
    )


def dag_files(folder: Path) -> Iterator[Path]:
    """List the Python files in which DAGs may stand."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        yield from (Path(parent, name) for name in files if name.endswith(".py"))


def text_of(file: Path) -> str:
    """Read a file; nothing when that cannot be done."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
