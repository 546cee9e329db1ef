"""Who tells of a failure when several could: the first, by a mark in the run's work area.

Twenty tasks that fail in one run are one alert. A run that is cleared and fails again is told of again. Where no mark
can be made everybody tells: twice is better than never. Must not know how people are told.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from airfoil.errors import AirfoilError
from airfoil.provider.work_area import run_folder

FOLDER = ".alerts"
log = logging.getLogger(__name__)


def first_to_tell(dag_id: str, run_id: str, what: str) -> Path | None:
    """Return the mark that was made, an empty path where none can be; None when another has told."""
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    try:
        folder = run_folder(dag_id, run_id) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / name
        mark.open("x").close()
    except FileExistsError:
        return None
    except (OSError, AirfoilError) as error:
        log.info("Whether this run has told of its failure is not known here: %s", error)
        return Path()
    return mark


def take_back(mark: Path) -> None:
    """Remove a mark: nobody could be told, so the next may try."""
    if mark != Path():
        with suppress(OSError):
            mark.unlink()
