"""`airfoil init DIR`: write a new project."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from airfoil.cli import console
from airfoil.errors import ConfigurationError, ProjectError

SETTINGS_FILE = "airfoil.toml"


class Template(StrEnum):
    """What a new project holds."""

    MINIMAL = "minimal"
    TRAINING = "training"
    ALL = "all"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the project ('.' is here).")],
    template: Annotated[
        Template,
        typer.Option(
            help="minimal: a DAG that runs code of yours; training: one that trains a model; "
            "all: the first, and every DAG that comes with Airfoil."
        ),
    ] = Template.ALL,
) -> None:
    """Write a new project; existing files are kept.

    It holds settings, example DAGs, a package for your code, a feature repository and tests.
    """
    from airfoil.cli import templates
    from airfoil.cli.project_name import project_name
    from airfoil.stack.project import refuse_letters

    try:
        root = folder.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise ProjectError(f"{folder} is not a folder that can be made.", "Choose another folder.") from error
    refuse_letters(root)
    if (root / SETTINGS_FILE).exists():
        raise ProjectError(f"{folder} is an Airfoil project already.", f"{_enter(folder)}airfoil up")
    if root.exists() and not root.is_dir():
        raise ConfigurationError(f"{folder} is a file.", "Choose another folder: `airfoil init DIR`.")
    name = project_name(root.name)
    files = templates.files(template.value, name)
    kept = [path for path in _in_order(files) if not write_new(root / path, files[path])]
    console.out(f"Made the project {name} in {root}.")
    for path in kept:
        console.out(f"  kept your {path}")
    console.out("\nNext:")
    if root != Path.cwd():
        console.out(f"  cd {shlex.quote(str(folder))}")
    console.out("  airfoil up")
    console.out(f"  airfoil run {templates.FIRST_DAG}")


def write_new(path: Path, text: str) -> bool:
    """Write a file that does not exist yet; False when there is one."""
    from airfoil.stack.storage import storage_error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                path.unlink()  # the next `init` would keep half a file as yours
                raise
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise ConfigurationError(
            f"{path.parent} is a file, not a folder.", "Move it away, then try again."
        ) from None
    except OSError as error:
        raise storage_error(path, error) from error
    return True


def _in_order(files: dict[str, str]) -> list[str]:
    """Put the settings last: a folder that has them is a whole project, so a broken-off `init` can be repeated."""
    return sorted(files, key=lambda path: (path == SETTINGS_FILE, path))


def _enter(folder: Path) -> str:
    return "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
