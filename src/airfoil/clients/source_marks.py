"""Which version of a source was worked off to the end, and with which settings: a small file beside the versions.

A crawler knows what it has fetched; this knows what became of it. A run that died halfway leaves no mark, so the next
one does the work although the source has not changed. Must not fetch.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from airfoil.errors import StorageError
from airfoil.records import Record

FILE = "finished.json"


class SourceMark(Record):
    """What was worked off, by which run."""

    content_hash: str = Field(min_length=1)
    settings_digest: str
    dag_run: str
    at: AwareDatetime


def digest_of(settings: Mapping[str, Any]) -> str:
    """Return a text that is another one when a setting is."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_mark(folder: Path) -> SourceMark | None:
    """Return the mark of a source; None when nothing was finished yet, or it cannot be read."""
    with suppress(OSError, ValueError, ValidationError):
        return SourceMark.from_json((folder / FILE).read_text(encoding="utf-8"))
    return None


def write_mark(folder: Path, mark: SourceMark) -> None:
    """Keep the mark of a source, whole or not at all."""
    target = folder / FILE
    unfinished = folder / f".{FILE}.{uuid.uuid4().hex}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(mark.model_dump_json(), encoding="utf-8")
        unfinished.replace(target)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror or error}",
            "Free space, or let [airfoil] work_area name a folder that tasks may write to.",
        ) from error
