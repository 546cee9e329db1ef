"""Entries of the ledger as texts that fit into a cell; what is longer goes to cells of its own, named by its digest.

Details are written before the entry that names them, so an entry never points to nothing. They lie beside the entries,
not in the artifact store: one database to back up, and no second place to be let into. Must not decide what is moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from airfoil.clients.claims import Claims, read_cells
from airfoil.clients.exchange import API, Exchange, post
from airfoil.errors import ServiceAnswerError
from airfoil.records import LedgerEntry

MAX_CHARACTERS = 6000
"""What a parameter of MLflow may hold."""
MAX_CELLS_PER_CALL = 100
SHORT_TEXT = 200
ANCHOR = "ledger-details/"
_OUTSIDE_THE_TEXT = frozenset({"model", "alias", "number"})
"""The cell's place says these."""


def entry_text(claims: Claims, entry: LedgerEntry, marks: Mapping[str, str]) -> Exchange[str]:
    """Return the text of an entry's cell, with marks of its writer in it; long details are stored first."""
    fields = {key: value for key, value in entry.to_json().items() if key not in _OUTSIDE_THE_TEXT and value}
    signs = {key: value for key, value in marks.items() if value}
    text = _json({**fields, **signs})
    if len(text) <= MAX_CHARACTERS:
        return text
    whole = _json(fields)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    run_id = yield from claims.anchor_id(ANCHOR + digest)
    rows = [
        {"key": f"{start // MAX_CHARACTERS:06d}", "value": whole[start : start + MAX_CHARACTERS]}
        for start in range(0, len(whole), MAX_CHARACTERS)
    ]
    for start in range(0, len(rows), MAX_CELLS_PER_CALL):
        batch = rows[start : start + MAX_CELLS_PER_CALL]
        yield from post(f"{API}/runs/log-batch", {"run_id": run_id, "params": batch})
    return _json({**_shortened(fields), **signs, "digest": digest})


def whole_entry(claims: Claims, entry: LedgerEntry) -> Exchange[LedgerEntry]:
    """Return the entry as it was given; its details are checked against the digest."""
    if not entry.digest:
        return entry
    run_id = yield from claims.find(ANCHOR + entry.digest)
    cells = (yield from read_cells(run_id)) if run_id else {}
    whole = "".join(cells[key] for key in sorted(cells))
    if hashlib.sha256(whole.encode()).hexdigest() != entry.digest:
        raise ServiceAnswerError(
            f"The details of entry {entry.number} in the ledger of {entry.model}@{entry.alias} were changed",
            "Somebody edited or removed a run of MLflow's experiment 'airfoil-ledger'; a backup has it.",
        )
    place = {"model": entry.model, "alias": entry.alias, "number": entry.number, "digest": entry.digest}
    return LedgerEntry.from_json({**json.loads(whole), **place})


def _shortened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is short; of a gate its numbers and short words, so that a listing can tell the verdict."""
    gate = fields.get("gate") or {}
    short: dict[str, Any] = {}
    for key, value in gate.items():
        kept = _short(value)
        if kept is not None and len(_json({**short, key: kept})) <= MAX_CHARACTERS // 2:
            short[key] = kept
    texts = {key: _short(value) for key, value in fields.items() if key != "gate"}
    return {**texts, **({"gate": short} if short else {})}


def _short(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= SHORT_TEXT else value[: SHORT_TEXT - 1] + "…"
    return value if isinstance(value, bool | int | float) else None


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))
