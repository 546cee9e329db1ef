"""The certificate authorities that a person's environment names: all of them count, under either usual name.

Containers and companies often set one variable for everybody, and a person the other for a server of his own; requests
(MLflow's client) looks at the first only, httpx at the second only. Must not import an HTTP library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airfoil.stack.project import Project

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def named(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return variable -> file or folder, each place once."""
    found: dict[str, str] = {}
    for name in VARIABLES:
        place = (os.environ if environ is None else environ).get(name, "")
        if place and place not in found.values():
            found[name] = place
    return found


def trust(project: Project, certificate: Path, *, and_public: bool = False) -> None:
    """Let this process trust one authority beside those that its environment names, or beside the public ones."""
    # Afterwards one variable holds all of them: the joined file itself must not be joined to them again.
    places = [Path(place) for place in named().values()]
    files = [place for place in places if place.is_file() and place != _of_target(project)]
    if and_public and not files:
        import certifi

        files = [Path(certifi.where())]
    project.prepare()
    _join((*files, certificate), _of_target(project))
    os.environ["SSL_CERT_FILE"] = str(_of_target(project))


def _of_target(project: Project) -> Path:
    return project.run / "authorities-of-target.pem"


def one_file(project: Project) -> str:
    """Return one file with all of them, for a client that takes a single one; empty when none is named."""
    places = list(named().values())
    files = [Path(place) for place in places if Path(place).is_file()]
    if len(files) < 2:  # noqa: PLR2004 - nothing to join; a folder, or a file that is missing, is told by who opens it
        return places[0] if places else ""
    joined = project.run / "authorities.pem"
    _join(files, joined)
    return str(joined)


def _join(files: Sequence[Path], joined: Path) -> None:
    """Write all of them into one file, and only when that changes it: others read it meanwhile."""
    text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    if not joined.exists() or joined.read_text(encoding="utf-8") != text:
        write_private(joined, text)
