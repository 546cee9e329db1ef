"""Where the files of a new project come from: the templates inside the package.

`minimal` is the ground for all; the others hold only what differs. The shipped DAGs live once, in the checkout's dags/
folder, and are copied into the package when a wheel is built; in an editable checkout they are taken from there. Pure
reading: what is written where is init's part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
GROUND = "minimal"
SHIPPED_DAGS = {
    "minimal": ("simple_test_dag.py",),
    "training": ("example_dag.py",),
    "all": ("simple_test_dag.py", "example_dag.py"),
}
NAME_FOLDER = "NAME"
NAME_MARK = "{{name}}"
DAGS = "dags"


def files(template: str, name: str, package: Path = PACKAGE, checkout: Path = CHECKOUT) -> dict[str, str]:
    """Give the files of a new project by their path in it, with the project's name filled in."""
    templates = package / "templates"
    sources = dict(_layer(templates / GROUND)) | dict(_layer(templates / template))
    for dag in SHIPPED_DAGS[template]:
        for place in (*sorted(templates.glob(f"*/{DAGS}/{dag}")), checkout / DAGS / dag):
            if place.is_file():
                sources.setdefault(f"{DAGS}/{dag}", place)
    missing = [file for file in SHIPPED_DAGS[template] if f"{DAGS}/{file}" not in sources]
    if "airfoil.toml" not in sources or missing or not (templates / template).is_dir():
        raise InternalError(
            f"This installation of Airfoil lacks files of the template {template}.", "Install Airfoil again."
        )
    return {
        path.replace(f"/{NAME_FOLDER}/", f"/{name}/"): file.read_text(encoding="utf-8").replace(
            NAME_MARK, name
        )
        for path, file in sources.items()
    }


def _layer(root: Path) -> Iterator[tuple[str, Path]]:
    """Give a template's own files but its DAGs, of which each project gets only those that it ships."""
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        if file.is_file() and file.suffix != ".pyc" and path.parts[0] != DAGS:
            yield path.as_posix(), file
