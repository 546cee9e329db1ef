"""`airfoil version`: what is installed, without importing any of it."""

from importlib import metadata
from typing import Annotated

import typer

from airfoil import __version__
from airfoil.cli import console

PARTS = {
    "airflow": "apache-airflow-core",
    "mlflow": "mlflow",
    "mlflow-skinny": "mlflow-skinny",
    "feast": "feast",
}


def print_short() -> None:
    """Print the one line that `--version` gives."""
    console.out(f"airfoil {__version__}")


def installed(distribution: str) -> str | None:
    """Give the version of an installed distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def version(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    constraints: Annotated[
        bool, typer.Option("--constraints", help="Print where the file of tested versions is, for `pip -c`.")
    ] = False,
) -> None:
    """Print the versions of Airfoil, Airflow, MLflow, Feast and Python."""
    import platform

    if constraints:
        from airfoil.stack.packages import constraints as tested

        console.out(str(tested.PATH))
        return
    found = {
        "airfoil": __version__,
        **{name: installed(distribution) for name, distribution in PARTS.items()},
        "python": platform.python_version(),
    }
    if as_json:
        console.emit_json(found)
        return
    print_short()
    for name, value in found.items():
        if name != "airfoil":
            console.out(f"{name} {value or 'not installed'}")
