"""Make an alias stand where the head of its ledger says, however many do so at once and whoever is interrupted.

MLflow sets an alias without looking at what it was, and a request may be carried out long after it was meant. So nobody
sets an alias without having declared it in a cell first, and having read the head after that; and nobody takes the
declaration back before the head was read again after the set. `history` says what can be concluded. Must not decide
where an alias should stand.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from airfoil.clients.claims import claim_cell, read_cells
from airfoil.clients.exchange import Exchange
from airfoil.clients.history import DONE, LATE, SEEN, SET, History, Verdict, entry_cell
from airfoil.clients.model_registry import model, point_alias
from airfoil.errors import NeighbourError, ServiceRefusedError, ServiceUnreachableError

if TYPE_CHECKING:
    from airfoil.records import LedgerEntry

TRIES = 3


class Projection:
    """One alias and the cells of its ledger."""

    def __init__(self, run_id: str, model_name: str, alias: str) -> None:
        """Take the run that holds the cells."""
        self.run_id = run_id
        self._model = model_name
        self._alias = alias

    def history(self) -> Exchange[History]:
        """Read the cells."""
        return History.read(self._model, self._alias, (yield from read_cells(self.run_id)))

    def look(self) -> Exchange[tuple[History, int | None]]:
        """Read the cells, and then where the alias stands: the other way round an old answer would look like a move."""
        history = yield from self.history()
        return history, (yield from alias_version(self._model, self._alias))

    def carry_out(self, entry: LedgerEntry) -> Exchange[None]:
        """Set the alias for an entry that we have just appended: that was our declaration, and nobody had moved on."""
        sure = yield from self._set(entry)
        declared = [entry_cell(entry.number)] if sure else []
        yield from self._follow(declared, entry.number if sure else 0)

    def repair(self, history: History, version: int | None) -> Exchange[None]:
        """Finish what others have begun and may never finish, or undo what one of them did too late."""
        verdict = history.judge(version)
        if verdict is Verdict.REACHED:
            yield from claim_cell(self.run_id, entry_cell(history.number) + SEEN, "1")
        elif verdict in {Verdict.PENDING, Verdict.LATE}:
            yield from self._follow([], 0)
        if verdict is Verdict.LATE and (late := history.late_cell(version)) is not None:
            # A declaration explains one late set; a person who insists on that version is heard the second time.
            yield from claim_cell(self.run_id, late + DONE, LATE)

    def close(self, entry: LedgerEntry, how: str) -> Exchange[None]:
        """Say that we shall not set the alias for this entry (any more): it stands there, or never will."""
        yield from claim_cell(self.run_id, entry_cell(entry.number) + DONE, how)

    def _follow(self, declared: list[str], stands_at: int) -> Exchange[None]:
        """Set the alias to the head's version until the head stays, then close what was declared."""
        declared_for = stands_at
        unsure = 0
        while True:
            head = (yield from self.history()).entries[-1]
            if head.number == stands_at:
                break
            if head.number != declared_for:
                declared.append((yield from self._declare(head)))
                declared_for = head.number
                continue  # the head is read again: who appends now sees the declaration
            if (yield from self._set(head)):
                stands_at = head.number
                continue
            unsure += 1
            if unsure == TRIES:
                raise ServiceUnreachableError(
                    f"MLflow did not say whether the alias '{self._alias}' of {self._model} was set",
                    "The move is written down and will be finished by whoever looks next.",
                )
            declared.pop()
            declared_for = 0
        for cell in declared:
            yield from claim_cell(self.run_id, cell + DONE, SET)

    def _declare(self, entry: LedgerEntry) -> Exchange[str]:
        cell = f"{entry_cell(entry.number)}.by.{uuid.uuid4().hex}"
        yield from claim_cell(self.run_id, cell, "1")
        return cell

    def _set(self, entry: LedgerEntry) -> Exchange[bool]:
        """Set the alias; False when that may or may not have happened, or may happen yet."""
        try:
            yield from point_alias(self._model, self._alias, entry.to_version)
        except ServiceRefusedError:
            raise
        except NeighbourError:
            return False
        return True


def alias_version(model_name: str, alias: str) -> Exchange[int | None]:
    """Return where an alias stands; None when it, or the model, does not exist."""
    found = yield from model(model_name)
    return found.aliases.get(alias) if found else None
