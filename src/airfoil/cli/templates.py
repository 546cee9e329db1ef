"""Where the files of a new project come from: the templates inside the package.

The shipped DAGs live once, in the checkout's dags/ folder, and are copied into the package when a wheel is built; in
an editable checkout they are taken from there. Pure reading: what is written where is init's part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
TEMPLATES = ("minimal", "training", "all")
DEFAULT = "all"
# What pyproject.toml force-includes in the wheel (a test compares the two).
SHIPPED_DAGS = {
    "minimal": ("simple_test_dag.py",),
    "training": ("example_dag.py",),
    "all": ("simple_test_dag.py", "example_dag.py"),
}
NAME_FOLDER = "NAME"
NAME_MARK = "{{name}}"
IGNORED = frozenset({"__pycache__"})


def files(template: str, name: str, package: Path = PACKAGE, checkout: Path = CHECKOUT) -> dict[str, str]:
    """Give the files of a new project by their path in it, with the project's name filled in."""
    found: dict[str, str] = {}
    for path, source in _sources(template, package, checkout):
        target = "/".join(name if part == NAME_FOLDER else part for part in path.split("/"))
        found[target] = source.read_text(encoding="utf-8").replace(NAME_MARK, name)
    missing = [file for file in SHIPPED_DAGS[template] if f"dags/{file}" not in found]
    if "airfoil.toml" not in found or missing:
        raise InternalError(
            f"This installation of Airfoil lacks files of the template {template}.", "Install Airfoil again."
        )
    return found


def _sources(template: str, package: Path, checkout: Path) -> Iterator[tuple[str, Path]]:
    root = package / "templates" / template
    for file in sorted(root.rglob("*")):
        if file.is_file() and not IGNORED.intersection(file.parts) and file.suffix != ".pyc":
            yield file.relative_to(root).as_posix(), file
    for dag in SHIPPED_DAGS[template]:
        if not (root / "dags" / dag).is_file() and (checkout / "dags" / dag).is_file():
            yield f"dags/{dag}", checkout / "dags" / dag
