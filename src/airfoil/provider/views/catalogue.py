"""What the models page shows, read from MLflow: models, aliases, versions, moves and the verdicts behind them.

Plain JSON values, the same for the page and for `/airfoil/api/models`. Must not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airfoil.clients.exchange import Exchange
from airfoil.clients.ledger import Ledger
from airfoil.clients.model_registry import model, models, versions
from airfoil.errors import NotFoundError

if TYPE_CHECKING:
    from airfoil.clients.history import History
    from airfoil.clients.model_registry import ModelVersion, RegisteredModel
    from airfoil.records import LedgerEntry


def catalogue(ledger: Ledger) -> Exchange[dict[str, Any]]:
    """Return every model with its aliases, the last move of each and the last verdict."""
    registered = yield from models()
    histories = yield from ledger.histories()
    return {"models": [_summary(one, _of(one.name, histories)) for one in registered]}


def one_model(ledger: Ledger, name: str) -> Exchange[dict[str, Any]]:
    """Return a model with its versions and every move of its aliases, the newest first."""
    registered = yield from model(name)
    if registered is None:
        raise NotFoundError(f"There is no model {name}")
    known = yield from versions(name)
    histories = _of(name, (yield from ledger.histories()))
    moves = [entry for history in histories.values() for entry in history.entries]
    moves.sort(key=lambda entry: (entry.at, entry.number), reverse=True)
    return {
        **_summary(registered, histories),
        "versions": [_version(one, registered) for one in known],
        "moves": [entry.to_json() for entry in moves],
    }


def last_verdict(entries: tuple[LedgerEntry, ...]) -> Mapping[str, Any] | None:
    """Return the record of the gate that was asked last."""
    return next((entry.gate for entry in reversed(entries) if entry.gate), None)


def _of(name: str, histories: Mapping[tuple[str, str], History]) -> dict[str, History]:
    return {alias: history for (named, alias), history in histories.items() if named == name}


def _summary(one: RegisteredModel, histories: Mapping[str, History]) -> dict[str, Any]:
    return {
        "name": one.name,
        "updated_ms": one.updated_ms,
        "aliases": [
            _alias(alias, one.aliases.get(alias), histories.get(alias))
            for alias in sorted({*one.aliases, *histories})
        ],
    }


def _alias(alias: str, version: int | None, history: History | None) -> dict[str, Any]:
    entries = history.entries if history else ()
    verdict = last_verdict(entries)
    return {
        "alias": alias,
        "version": version,
        "moves": len(entries),
        "last": entries[-1].to_json() if entries else None,
        "verdict": dict(verdict) if verdict else None,
    }


def _version(one: ModelVersion, registered: RegisteredModel) -> dict[str, Any]:
    return {
        "version": one.version,
        "run_id": one.run_id,
        "source": one.source,
        "created_ms": one.created_ms,
        "aliases": sorted(alias for alias, version in registered.aliases.items() if version == one.version),
    }
