"""Files that a DAG file names by a relative path: they lie beside it, or in the project that it belongs to.

A task runs in whatever folder its worker happens to have; a path must mean the same in all of them. Must not read.
"""

from __future__ import annotations

import glob
from pathlib import Path

from airfoil.errors import NotFoundError

PROJECT_FILE = "airfoil.toml"


def find_file(path: str, dag_file: str) -> str:
    """Return the whole path of a file, a folder or a pattern; a relative one that leads to nothing is an error."""
    given = Path(path).expanduser()
    if given.is_absolute():
        return str(given)
    folders = search_folders(dag_file)
    for folder in folders:
        if glob.glob(glob.escape(str(folder)) + f"/{given}", recursive=True):  # noqa: PTH207 - the pattern is absolute
            return str(folder / given)
        if (folder / given).exists():  # its name looks like a pattern
            return str(folder / given)
    raise NotFoundError(
        f"There is no {path} in {' or in '.join(str(one) for one in folders)}",
        "A relative path begins at the folder of the DAG file, or at the project's.",
    )


def search_folders(dag_file: str) -> tuple[Path, ...]:
    """Return the folder of a DAG file and that of its project: the one with an airfoil.toml, else the one above."""
    here = Path(dag_file).absolute().parent
    project = next((one for one in (here, *here.parents) if (one / PROJECT_FILE).is_file()), here.parent)
    return tuple(dict.fromkeys((here, project)))
