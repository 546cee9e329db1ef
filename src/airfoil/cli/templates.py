"""Where the files of a new project come from: the templates inside the package.

`minimal` is the ground for all; the others hold only what differs, and a file of theirs replaces the ground's. The
shipped DAGs live once, in the checkout's dags/ folder, and are copied into the package when a wheel is built; in an
editable checkout they are taken from there. Pure reading: what is written where is init's part.
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
FIRST_DAG = "first_dag"
"""The DAG that every template has: it runs the project's own code."""
SHIPPED_DAGS = {
    "minimal": ("simple_test_dag.py",),
    "training": ("example_dag.py",),
    "all": (
        "simple_test_dag.py",
        "example_dag.py",
        "data_validation_pipeline.py",
        "database_cleanup.py",
        "feast_feature_materialization.py",
        "ml_model_training_pipeline.py",
        "ml_pipeline.py",
        "platform_backup.py",
        "trading_strategy_train.py",
        "contracts/iris.yaml",
        "contracts/trips.yaml",
        "contracts/lost_customers.yaml",
        "nyc_taxi_duration_prediction.py",
        "nyc_taxi_linear_duration_prediction.py",
    ),
}
"""For each template the DAGs of Airfoil that it brings beside that one, and what they read. A new template is a line
here, one in `init.Template`, and a folder with what differs."""
NAME_FOLDER = "NAME"
NAME_MARK = "{{name}}"
NAME_IMPORT = "from NAME."
"""How Python files of a template import the project's package, so that our own tools can read them."""
DAGS = "dags"


def files(template: str, name: str, package: Path = PACKAGE, checkout: Path = CHECKOUT) -> dict[str, str]:
    """Give the files of a new project by their path in it, with the project's name filled in."""
    templates = package / "templates"
    sources = dict(_layer(templates / GROUND)) | dict(_layer(templates / template))
    for dag in SHIPPED_DAGS[template]:
        for place in (templates / DAGS / dag, checkout / DAGS / dag):
            if place.is_file():
                sources.setdefault(f"{DAGS}/{dag}", place)
    wanted = {"airfoil.toml", *(f"{DAGS}/{dag}" for dag in (f"{FIRST_DAG}.py", *SHIPPED_DAGS[template]))}
    if wanted - sources.keys() or not (templates / template).is_dir():
        raise InternalError(
            f"This installation of Airfoil lacks files of the template {template}.", "Install Airfoil again."
        )
    return {
        path.replace(f"/{NAME_FOLDER}/", f"/{name}/"): _named(file.read_text(encoding="utf-8"), name)
        for path, file in sources.items()
    }


def shipped_dag(name: str, package: Path = PACKAGE, checkout: Path = CHECKOUT) -> str:
    """Give the text of one of the DAGs that come with Airfoil."""
    for place in (package / "templates" / DAGS / name, checkout / DAGS / name):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise InternalError(f"This installation of Airfoil lacks the DAG file {name}.", "Install Airfoil again.")


def _layer(root: Path) -> Iterator[tuple[str, Path]]:
    """Give a template's own files by their path in the project."""
    for file in sorted(root.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            yield file.relative_to(root).as_posix(), file


def _named(text: str, name: str) -> str:
    filled = text.replace(NAME_MARK, name).replace(NAME_IMPORT, f"from {name}.")
    return filled.replace(f"src/{NAME_FOLDER}/", f"src/{name}/")
