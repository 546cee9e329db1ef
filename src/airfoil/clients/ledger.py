"""Who moved which alias when: a numbered, append-only ledger for each alias, of which the alias is the projection.

Entry N is a cell that is written once, so two who move at the same time come one after the other, and each knows from
where it moved. Moves that were made outside Airfoil are adopted when somebody looks. Must not know how an alias is kept
in step (`projection`), nor who is asked before a move (gates are the caller's).
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import EllipsisType
from typing import Any, Literal

from airfoil.clients.claims import Claims, claim_cell, digest, read_cells
from airfoil.clients.exchange import Exchange
from airfoil.clients.history import NEVER, SET, History, Verdict, entry_cell, no_ledger
from airfoil.clients.ledger_texts import entry_text, whole_entry
from airfoil.clients.model_registry import models, version
from airfoil.clients.projection import Projection, alias_version
from airfoil.errors import ConfigurationError, MovedMeanwhileError, NotFoundError, ServiceRefusedError
from airfoil.records import LedgerEntry, Record

ANCHOR = "ledger/"
OUTSIDE = "outside Airfoil"
Kind = Literal["promote", "rollback", "remove"]
_PLAIN = re.compile(r"[\w .-]+")
_ALIAS = re.compile(r"[\w-]{1,255}")
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


class Ledger:
    """The ledgers of one MLflow server."""

    def __init__(self, claims: Claims, clock: Callable[[], float] = time.time) -> None:
        """Keep the cells' home and the clock that entries are dated by."""
        self._claims = claims
        self._clock = clock

    def move(  # noqa: PLR0913 - what an entry tells, each by its name
        self,
        model: str,
        alias: str,
        to: int | None,
        *,
        who: str,
        expected: int | EllipsisType | None = ...,
        kind: Kind | None = None,
        reason: str = "",
        gate: Record | Mapping[str, Any] | None = None,
        approver: str = "",
        dag_run: str = "",
        key: str = "",
    ) -> Exchange[LedgerEntry]:
        """Point an alias to a version (None takes it away), and write down why; return the entry.

        With `expected` only if it stands there now. A `key` moves once: whoever comes again with it gets the entry that
        was made. An alias that is there already is left alone, and the entry that brought it there is returned.
        """
        check_alias(alias)
        if to is not None:
            yield from _check_version(model, to)
        place = Projection((yield from self._claims.anchor_id(_name(model, alias))), model, alias)
        while True:
            history, stands = yield from self._look(place)
            done = history.by_key(key) if key else None
            if done is not None or _is_there(history, to, expected):
                yield from place.repair(history, stands)
                return done or history.entries[-1]
            draft = self._draft(history, kind or ("remove" if to is None else "promote"), to)
            entry = draft.model_copy(
                update={
                    "who": who,
                    "reason": reason,
                    "gate": gate.to_json() if isinstance(gate, Record) else gate,
                    "approver": approver,
                    "dag_run": dag_run,
                }
            )
            if (yield from self._append(place, entry, key)):
                yield from self._carry_out(place, entry)
                return entry

    def rollback(
        self,
        model: str,
        alias: str,
        *,
        who: str,
        reason: str,
        expected: int | EllipsisType | None = ...,
        approver: str = "",
        dag_run: str = "",
        key: str = "",
    ) -> Exchange[LedgerEntry]:
        """Move back to the version that counted before; again goes one further back, but not with the same key."""
        history = yield from self._history(model, alias)
        if key and (done := history.by_key(key)) is not None:
            yield from self.reconcile(model, alias)
            return done
        earlier = yield from self._earlier(history)
        return (
            yield from self.move(
                model,
                alias,
                earlier,
                who=who,
                expected=history.version if expected is ... else expected,
                kind="rollback",
                reason=reason,
                approver=approver,
                dag_run=dag_run,
                key=key,
            )
        )

    def earlier_version(self, model: str, alias: str) -> Exchange[int]:
        """Return the version that a rollback would go to: the nearest before the head's that still exists."""
        return (yield from self._earlier((yield from self._history(model, alias))))

    def _earlier(self, history: History) -> Exchange[int]:
        for earlier in history.earlier_versions():
            if (yield from version(history.model, earlier)) is not None:
                return earlier
        raise NotFoundError(
            f"There is no earlier version that '{history.alias}' of model {history.model} could go back to",
            f"See `airfoil models history {history.model}`.",
        )

    def reconcile(self, model: str, alias: str) -> Exchange[LedgerEntry | None]:
        """Adopt a move that was made outside, finish or undo one of ours that was interrupted; return the head."""
        run_id = yield from self._claims.find(_name(model, alias))
        if run_id is None:
            if (yield from alias_version(model, alias)) is None:
                return None
            run_id = yield from self._claims.anchor_id(_name(model, alias))
        place = Projection(run_id, model, alias)
        history, stands = yield from self._look(place)
        try:
            yield from place.repair(history, stands)
        except NotFoundError as error:
            # The head's version is gone from MLflow: nobody will ever reach it.
            yield from self._append(place, self._outside(history, stands, str(error)))
        history = yield from place.history()
        return history.entries[-1] if history.entries else None

    def entries(self, model: str, alias: str) -> Exchange[tuple[LedgerEntry, ...]]:
        """Return the entries as they are written, the oldest first; none when the alias was never moved."""
        return (yield from self._history(model, alias)).entries

    def at(self, model: str, alias: str, when: datetime) -> Exchange[LedgerEntry | None]:
        """Return the entry that counted at a moment; None when nothing was moved before it."""
        return (yield from self._history(model, alias)).at(when)

    def whole(self, entry: LedgerEntry) -> Exchange[LedgerEntry]:
        """Return an entry with the details that were too long for its cell."""
        return (yield from whole_entry(self._claims, entry))

    def ledgers(self) -> Exchange[list[tuple[str, str]]]:
        """Return model and alias of every ledger."""
        return sorted((yield from self.histories()))

    def histories(self, model: str = "") -> Exchange[dict[tuple[str, str], History]]:
        """Return all ledgers, or those of one model, at once: one request for a hundred of them."""
        found: dict[tuple[str, str], History] = {}
        # A name that a filter cannot hold is looked for among all.
        prefix = _name(model, "") if _PLAIN.fullmatch(model) else ANCHOR
        for name, cells in (yield from self._claims.cells_of_all(prefix)).items():
            at, _, alias = name.removeprefix(ANCHOR).rpartition("/")
            if model in {"", at}:
                found[at, alias] = History.read(at, alias, cells)
        return found

    def unsettled(self) -> Exchange[list[tuple[str, str]]]:
        """Return the aliases that `reconcile` has to do with, those that no ledger knows included."""
        histories = yield from self.histories()
        standing = {
            (one.name, alias): to for one in (yield from models()) for alias, to in one.aliases.items()
        }
        return sorted(
            at
            for at in {*histories, *standing}
            if histories.get(at, History(*at)).judge(standing.get(at)) is not Verdict.SETTLED
        )

    def _history(self, model: str, alias: str) -> Exchange[History]:
        run_id = yield from self._claims.find(_name(model, alias))
        return History.read(model, alias, (yield from read_cells(run_id)) if run_id else {})

    def _look(self, place: Projection) -> Exchange[tuple[History, int | None]]:
        """Read the ledger and the alias, after adopting what was moved outside."""
        while True:
            history, stands = yield from place.look()
            if history.judge(stands) is not Verdict.OUTSIDE:
                return history, stands
            yield from self._append(place, self._outside(history, stands, "found when somebody looked"))

    def _append(self, place: Projection, entry: LedgerEntry, key: str = "") -> Exchange[bool]:
        """Write an entry under its number; False when somebody else has taken that."""
        text = yield from entry_text(
            self._claims, entry, {"token": uuid.uuid4().hex, "key": key and digest(key)}
        )
        return (yield from claim_cell(place.run_id, entry_cell(entry.number), text)) == text

    def _carry_out(self, place: Projection, entry: LedgerEntry) -> Exchange[None]:
        try:
            yield from place.carry_out(entry)
        except (ConfigurationError, ServiceRefusedError) as error:
            # What MLflow does not let us do must not stay the truth.
            yield from place.close(entry, NEVER)
            history, stands = yield from place.look()
            if history.number == entry.number:
                back = self._draft(history, "rollback", stands).model_copy(
                    update={"who": entry.who, "reason": f"MLflow refused: {error}"}
                )
                if (yield from self._append(place, back)):
                    yield from place.close(back, SET)
            raise

    def _outside(self, history: History, stands: int | None, reason: str) -> LedgerEntry:
        return self._draft(history, "external", stands).model_copy(update={"who": OUTSIDE, "reason": reason})

    def _draft(
        self, history: History, kind: Literal["promote", "rollback", "remove", "external"], to: int | None
    ) -> LedgerEntry:
        """Begin the entry after the head. Its time is our clock's, but never before the entry before."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        last = history.entries[-1] if history.entries else None
        return LedgerEntry(
            model=history.model,
            alias=history.alias,
            number=history.number + 1,
            at=max(now, last.at) if last else now,
            kind=kind,
            who="",
            from_version=history.version,
            to_version=to,
        )


def check_alias(alias: str) -> None:
    """Refuse a name that MLflow would refuse, before anything is written."""
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias):
        raise ConfigurationError(
            f"'{alias}' cannot be the name of an alias",
            "Take letters, digits, - and _; 'latest' and 'v1' are MLflow's own words.",
        )


def _is_there(history: History, to: int | None, expected: int | EllipsisType | None) -> bool:
    """Tell whether nothing has to be moved; an alias that is not where it was expected is an error."""
    if expected is not ... and expected != history.version:
        raise _moved_meanwhile(history, expected)
    if history.version != to:
        return False
    if not history.entries:
        raise no_ledger(history.model, history.alias)
    return True


def _moved_meanwhile(history: History, expected: int | EllipsisType | None) -> MovedMeanwhileError:
    last = history.entries[-1] if history.entries else None
    told = f": {last.who} moved it at {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else ": it was never set"
    return MovedMeanwhileError(
        f"The alias '{history.alias}' of model {history.model} is at {_spoken(history.version)}, "
        f"not at {_spoken(expected)}{told}",
        f"Look (`airfoil models history {history.model}`), and decide again.",
    )


def _spoken(version: int | EllipsisType | None) -> str:
    return "no version" if version is None else f"version {version}"


def _check_version(model: str, number: int) -> Exchange[None]:
    if (yield from version(model, number)) is None:
        raise NotFoundError(f"Model {model} has no version {number}", f"See `airfoil models show {model}`.")


def _name(model: str, alias: str) -> str:
    return f"{ANCHOR}{model}/{alias}"
