"""What the cells of one alias say: the numbered entries, who may still be about to set the alias, and what follows.

Pure. A cell is written once, so the history only grows:

- `000007` is an entry (its writer sets the alias next), `000007.by.TOKEN` says that somebody else is about to set it;
- `….done` closes either: `set` when the alias was set and the head was read again, `late` when it was seen to come
  late, `never` when it was not and will not be set;
- `000007.seen` says that the alias was seen to stand where entry 7 wants it.

Whoever is open may yet set the alias, however late. So an alias that stands elsewhere than the head says is an
unfinished or late move of ours when an open one explains it, and was moved outside Airfoil only when nothing does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import ValidationError

from airfoil.clients.claims import digest
from airfoil.errors import NotFoundError, ServiceAnswerError
from airfoil.records import LedgerEntry

SET, LATE, NEVER = "set", "late", "never"
DONE = ".done"
SEEN = ".seen"
_DECLARED = re.compile(r"(?P<number>\d{6,})\.by\.\w+")


class Verdict(Enum):
    """What an alias that stands at some version means."""

    SETTLED = "it stands where the head says, and that is written down"
    REACHED = "it stands where the head says"
    PENDING = "the head was not carried out yet"
    LATE = "somebody of ours came late and undid a later move"
    OUTSIDE = "somebody moved it without telling the ledger"


@dataclass(frozen=True)
class History:
    """All that is known about one alias."""

    model: str
    alias: str
    cells: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[LedgerEntry, ...] = ()

    @classmethod
    def read(cls, model: str, alias: str, cells: Mapping[str, str]) -> History:
        """Read the entries out of the cells."""
        entries: list[LedgerEntry] = []
        while (text := cells.get(entry_cell(len(entries) + 1))) is not None:
            entries.append(_entry(text, model, alias, len(entries) + 1))
        return cls(model, alias, cells, tuple(entries))

    @property
    def number(self) -> int:
        """The head's number; 0 when nothing was ever moved."""
        return len(self.entries)

    @property
    def version(self) -> int | None:
        """Where the head says that the alias stands."""
        return self.entries[-1].to_version if self.entries else None

    def by_key(self, key: str) -> LedgerEntry | None:
        """Return the entry that was made under this key."""
        for entry in self.entries:
            if _fields(self.cells[entry_cell(entry.number)]).get("key") == digest(key):
                return entry
        return None

    def at(self, when: datetime) -> LedgerEntry | None:
        """Return the entry that counted at a moment."""
        return next((entry for entry in reversed(self.entries) if entry.at <= when), None)

    def judge(self, version: int | None) -> Verdict:
        """Say what it means that the alias stands at this version. Read the alias after the cells, never before."""
        reached = self.reached()
        if version == self.version:
            return Verdict.SETTLED if reached == self.number else Verdict.REACHED
        if any(version == self._version_at(number) for number in range(reached, self.number)):
            return Verdict.PENDING
        return Verdict.OUTSIDE if self.late_cell(version) is None else Verdict.LATE

    def reached(self) -> int:
        """Return the latest entry of which is known that the alias stood there."""
        known = [0]
        for entry in self.entries:
            cell = entry_cell(entry.number)
            # What was moved outside stood there before it was written down.
            if entry.kind == "external" or self.cells.get(cell + DONE) == SET or cell + SEEN in self.cells:
                known.append(entry.number)
        for cell, number in self._declared():
            if self.cells.get(cell + DONE) == SET:
                known.append(number)
        return max(known)

    def late_cell(self, version: int | None) -> str | None:
        """Return the cell of one who may still be setting the alias to this version."""
        for entry in self.entries:
            cell = entry_cell(entry.number)
            if entry.kind != "external" and cell + DONE not in self.cells and entry.to_version == version:
                return cell
        for cell, number in self._declared():
            if cell + DONE not in self.cells and self._version_at(number) == version:
                return cell
        return None

    def earlier_versions(self) -> list[int]:
        """Return the versions that a rollback may go to, the nearest first; a rollback is not gone back to."""
        stack: list[int] = []
        for entry in self.entries:
            version = entry.to_version
            if version is None:
                continue
            if entry.kind == "rollback" and version in stack:
                del stack[_last(stack, version) :]
            stack.append(version)
        return [version for version in dict.fromkeys(reversed(stack)) if version != self.version]

    def _declared(self) -> list[tuple[str, int]]:
        matches = [(cell, _DECLARED.fullmatch(cell)) for cell in sorted(self.cells)]
        return [(cell, int(match["number"])) for cell, match in matches if match]

    def _version_at(self, number: int) -> int | None:
        return self.entries[number - 1].to_version if 0 < number <= self.number else None


def entry_cell(number: int) -> str:
    """Return the name of an entry's cell."""
    return f"{number:06d}"


def _last(stack: list[int], version: int) -> int:
    return len(stack) - 1 - stack[::-1].index(version)


def _entry(text: str, model: str, alias: str, number: int) -> LedgerEntry:
    known = {key: value for key, value in _fields(text).items() if key in LedgerEntry.model_fields}
    try:
        # A newer Airfoil may have written fields that we do not know; what we know must be right.
        return LedgerEntry.from_json({**known, "model": model, "alias": alias, "number": number})
    except ValidationError as error:
        raise ServiceAnswerError(
            f"Entry {number} in the ledger of {model}@{alias} cannot be read",
            "It was written by a newer Airfoil, or by hand: upgrade, or look at MLflow's experiment 'airfoil-ledger'.",
        ) from error


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def no_ledger(model: str, alias: str) -> NotFoundError:
    """Say that an alias was never moved."""
    return NotFoundError(
        f"Nothing is known about the alias '{alias}' of model {model}",
        "See `airfoil models list`; an alias is made by `airfoil models promote`.",
    )
