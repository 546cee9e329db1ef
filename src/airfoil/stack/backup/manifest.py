"""What a backup says it holds: the last thing written, so that a backup without one was never finished.

Pure records with JSON in and out, and a digest over themselves. Must not touch a place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, ValidationError

from airfoil.errors import ConfigurationError, StorageError
from airfoil.records import FrozenNames, Record

FORMAT = 1
"""Raised when an older release could misread what a newer one writes."""
FOLDER = "backups/"
_SUFFIX = ".json"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["sqlite", "postgresql"]


class Stored(Record):
    """A content in a place: its name there is the SHA-256 of what lies there."""

    object: Digest
    bytes: int = Field(ge=0)
    """Of what lies there."""
    packed: bool = False
    """Whether what lies there is gzip."""


class TableFacts(Record):
    """How many rows a table has, and a digest of them in the order they are kept."""

    rows: int = Field(ge=0)
    digest: str


Tables = Annotated[Mapping[str, TableFacts], AfterValidator(MappingProxyType), PlainSerializer(dict)]
Counts = Annotated[
    Mapping[str, int], AfterValidator(lambda given: MappingProxyType(dict(given))), PlainSerializer(dict)
]


class DatabaseCopy(Record):
    """A database as of one moment, as an SQLite file; from PostgreSQL with every value as PostgreSQL writes it."""

    part: str
    kind: Kind
    revision: str = ""
    """Of the schema, where it has one."""
    stored: Stored
    tables: Tables


class TreeCopy(Record):
    """Many files; which ones says a listing of its own."""

    part: str
    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    listing: Stored


class Manifest(Record):
    """One whole backup."""

    format: int = FORMAT
    name: str = Field(pattern=r"^[0-9A-Za-z-]+$")
    project: str
    made_at: AwareDatetime
    seconds: float = Field(ge=0)
    """How long it took."""
    written_bytes: int = Field(ge=0)
    """What was not in the place before."""
    versions: FrozenNames
    """Of Airfoil, Airflow and MLflow, as far as they are known."""
    databases: tuple[DatabaseCopy, ...]
    trees: tuple[TreeCopy, ...]
    secrets: Stored
    """Sealed with the passphrase."""
    counts: Counts
    """What people count: runs, versions, connections, ..."""
    left_out: tuple[tuple[str, str], ...] = ()
    """What it does not hold, and why."""
    digest: str = ""
    """Of all the rest."""

    def database(self, part: str) -> DatabaseCopy | None:
        """Return the copy of one database."""
        return next((one for one in self.databases if one.part == part), None)

    @property
    def whole_bytes(self) -> int:
        """How much it stands for; contents that several backups share count in each."""
        copies = [one.stored.bytes for one in self.databases] + [one.bytes for one in self.trees]
        return sum(copies) + self.secrets.bytes


def place_of(name: str) -> str:
    """Return where the manifest of a backup lies."""
    return f"{FOLDER}{name}{_SUFFIX}"


def name_of(place: str) -> str:
    """Return which backup a manifest is of; empty when it is something else."""
    inside = place.removeprefix(FOLDER)
    return inside.removesuffix(_SUFFIX) if inside.endswith(_SUFFIX) and "/" not in inside else ""


def sealed(manifest: Manifest) -> Manifest:
    """Return the manifest with the digest of what it says."""
    return manifest.model_copy(update={"digest": _digest(manifest.to_json())})


def written(manifest: Manifest) -> str:
    """Return the text that is kept."""
    return json.dumps(manifest.to_json(), indent=1, ensure_ascii=False) + "\n"


def read(text: bytes, name: str) -> Manifest:
    """Return the manifest in a text; says what is wrong with one that is damaged, or written by a newer release."""
    try:
        found: Any = json.loads(text)
        version = int(found["format"])
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(name, "it is no JSON of ours") from error
    if version > FORMAT:
        raise ConfigurationError(
            f"Backup {name} has format {version}; this Airfoil knows formats up to {FORMAT}.",
            "Install the Airfoil that wrote it, or a newer one.",
        )
    try:
        manifest = Manifest.from_json(found)
    except ValidationError as error:
        raise _damaged(name, "it lacks parts, or holds strange ones") from error
    if manifest.digest != _digest(found):
        raise _damaged(name, "it was changed after it was written")
    if manifest.name != name:
        raise _damaged(name, f"it is the one of {manifest.name}")
    return manifest


def _digest(values: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in values.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _damaged(name: str, what: str) -> StorageError:
    return StorageError(
        f"The manifest of backup {name} is damaged: {what}.", "Take another: `airfoil backup list`."
    )
