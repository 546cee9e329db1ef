"""What a build of our images sees of a project: its folders, by the names that airfoil.toml gives them, and no secret.

Settings and the shipped list of files in, text out. Must not look at the disk.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings

IGNORE_FILE = "Dockerfile.dockerignore"
DAGS = "DAGS_FOLDER"
_USUAL = {"!dags": DAGS, "!plugins": "PLUGINS_FOLDER", "!features": "FEATURES_FOLDER"}
"""Line of the shipped list -> the Dockerfile's argument that says what the folder is called."""
_SIGNS = re.compile(r"([\\*?\[\]])")
"""What means something in a list of files that a build sees."""


def folders(settings: Settings, root: Path, target: Path) -> dict[str, str]:
    """Return by the name of its argument each folder's place in the project; nothing where no image can hold it."""
    chosen = (settings.airflow.dags, settings.airflow.plugins, settings.feast.repo)
    return {name: _place(folder, root, target) for name, folder in zip(_USUAL.values(), chosen, strict=True)}


def arguments(found: Mapping[str, str]) -> dict[str, str]:
    """Return those of the arguments that say something else than the Dockerfile."""
    usual = {name: line.removeprefix("!") for line, name in _USUAL.items()}
    return {name: place for name, place in found.items() if place != usual[name]}


def ignore_file(shipped: str, usual: str, inside: str, found: Mapping[str, str]) -> str:
    """Return the list for a server whose files lie in `inside` of the project, where the shipped one says `usual`."""
    lines = []
    for line in shipped.splitlines():
        if line not in _USUAL:
            lines.append(line.replace(usual, _escaped(inside)))
        elif found[_USUAL[line]]:
            lines.append(f"!{_escaped(found[_USUAL[line]])}")
    return "\n".join(lines) + "\n"


def check(settings: Settings, found: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Refuse workers on other hosts where they would have no DAG files."""
    if given["EDGE_WORKERS"] == "true" and not given["DAGS_GIT_URL"] and not found[DAGS]:
        raise ConfigurationError(
            f"Workers on other hosts have the DAG files of the image, and {settings.airflow.dags} is in none.",
            "Set [airflow] dags in airfoil.toml to a folder inside of the project, or DAGS_GIT_URL in .env.",
        )


def _place(folder: Path, root: Path, target: Path) -> str:
    """Say where a folder is in the project; nothing if it is outside, or has the server's secrets in it."""
    path = Path(os.path.normpath(root / folder))
    if not path.is_relative_to(root) or target.is_relative_to(path):
        return ""
    return path.relative_to(root).as_posix()


def _escaped(text: str) -> str:
    return _SIGNS.sub(r"\\\1", text)
