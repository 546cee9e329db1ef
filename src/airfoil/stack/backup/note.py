"""When a project was last backed up, in a file of its own: for those who watch and may ask neither S3 nor another disk.

Loaded by the status page: must not import anything but the standard library and our own storage.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from airfoil.errors import redact
from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from airfoil.stack.project import Project

NAME = "last_backup.json"


def write(project: Project, name: str, made_at: datetime, place: str) -> None:
    """Note the latest backup."""
    found = {"name": name, "made_at": made_at.isoformat(), "place": redact(place)}
    write_private(project.state / NAME, json.dumps(found) + "\n")


def made_at(project: Project) -> float | None:
    """Return when the latest one was taken, in epoch seconds; None when there is none that we know of."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads((project.state / NAME).read_text(encoding="utf-8"))
        return datetime.fromisoformat(found["made_at"]).timestamp()
    return None
