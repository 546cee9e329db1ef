"""Register a logged model exactly once: however many ask, and whoever dies in between, one version comes out.

A version's number is given by the server, so who makes it is agreed upon first: a write-once cell names the holder of
a generation by a token, the version carries that token from its first moment, and another cell names the version that
counts. Others wait for that cell; when the holder seems dead they look for its version before they make their own.
Must not know aliases.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from airfoil.clients.claims import Claims, claim_cell, digest, read_cells
from airfoil.clients.exchange import Exchange, pause
from airfoil.clients.model_registry import (
    ModelVersion,
    create_version,
    delete_version,
    version,
    versions_tagged,
)
from airfoil.errors import AirfoilError, NeighbourError, ServiceRefusedError

if TYPE_CHECKING:
    from airfoil.records import ModelRef

ANCHOR = "registry"
KEY_TAG = "airfoil.registration"
"""On every version of ours: the cell that says which one counts."""
HOLDER_TAG = "airfoil.registration_holder"
LEASE_SECONDS = 10.0
"""So long others wait for a holder who says nothing; each counts its own waiting, because clocks differ."""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
TRIES = 3
GIVEN_UP = "given up"


def register(
    claims: Claims, name: str, source: ModelRef, *, tags: Mapping[str, str] | None = None
) -> Exchange[ModelVersion]:
    """Return the version of this model that came from this source; it is made when there is none.

    A version that somebody has deleted since is made anew.
    """
    key = digest(name, source.uri)
    run_id = yield from claims.anchor_id(f"{ANCHOR}/{name}")
    for life in count():
        wanted = _Wanted(run_id, f"{key}.{life}", name, source, tags or {})
        made = yield from _agree(wanted)
        if isinstance(made, ModelVersion):
            return made
        kept = yield from version(name, made)
        if kept is not None:
            return kept
    raise AssertionError  # pragma: no cover - counting does not end


@dataclass(frozen=True)
class _Wanted:
    """A version that is to be made, and the cell that will hold its number."""

    run_id: str
    cell: str
    name: str
    source: ModelRef
    tags: Mapping[str, str]


def _agree(wanted: _Wanted) -> Exchange[ModelVersion | int]:
    """Return the version that we have made, or the number of the one that others have."""
    generation, waited, step, failures = 0, 0.0, FIRST_PAUSE_SECONDS, 0
    while True:
        cells = yield from read_cells(wanted.run_id)
        holders = _holders(cells, wanted.cell)
        if wanted.cell in cells:
            number = int(cells[wanted.cell])
            if len(holders) > 1:
                yield from _tidy_up(wanted, number)
            return number
        if len(holders) != generation:
            generation, waited, step = len(holders), 0.0, FIRST_PAUSE_SECONDS
        free = not holders or f"{wanted.cell}.{generation - 1}.{GIVEN_UP}" in cells
        if not free and waited < LEASE_SECONDS:
            yield from pause(step)
            waited += step
            step = min(step * 2, LONGEST_PAUSE_SECONDS)
            continue
        token = uuid.uuid4().hex
        claim = f"{wanted.cell}.{generation}"
        if (yield from claim_cell(wanted.run_id, claim, token)) != token:
            continue
        try:
            return (yield from _hold(wanted, claim, [*holders, token]))
        except ServiceRefusedError:
            raise
        except NeighbourError:
            failures += 1
            if failures == TRIES:
                raise
        yield from pause(FIRST_PAUSE_SECONDS * failures)


def _holders(cells: Mapping[str, str], cell: str) -> list[str]:
    """Return the tokens of all generations that were claimed."""
    tokens: list[str] = []
    while (token := cells.get(f"{cell}.{len(tokens)}")) is not None:
        tokens.append(token)
    return tokens


def _hold(wanted: _Wanted, claim: str, tokens: list[str]) -> Exchange[ModelVersion | int]:
    """Make the version, or take that of an earlier holder, and write down which one counts."""
    try:
        ours = (yield from _made_by(wanted, tokens)) if len(tokens) > 1 else None
        ours = ours or (yield from _create(wanted, tokens[-1]))
    except AirfoilError:
        # Nobody needs to wait for us; if not even this can be said, they wait out the lease.
        with suppress(AirfoilError):
            yield from claim_cell(wanted.run_id, f"{claim}.{GIVEN_UP}", "1")
        raise
    counts = int((yield from claim_cell(wanted.run_id, wanted.cell, str(ours.version))))
    if counts == ours.version:
        return ours
    yield from delete_version(wanted.name, ours.version)
    return counts


def _create(wanted: _Wanted, token: str) -> Exchange[ModelVersion]:
    """Make a version; when it stays unknown whether one was made, look for it by the token."""
    try:
        return (
            yield from create_version(
                wanted.name, wanted.source, {**wanted.tags, KEY_TAG: wanted.cell, HOLDER_TAG: token}
            )
        )
    except NeighbourError as error:
        found = None if isinstance(error, ServiceRefusedError) else (yield from _made_by(wanted, [token]))
        if found is None:
            raise
        return found


def _made_by(wanted: _Wanted, tokens: list[str]) -> Exchange[ModelVersion | None]:
    """Return the first version that one of these holders has made."""
    found = [one for one in (yield from _ours(wanted)) if one.tags.get(HOLDER_TAG) in tokens]
    return found[-1] if found else None


def _tidy_up(wanted: _Wanted, number: int) -> Exchange[None]:
    """Remove the versions of holders who came too late and died before they could do it."""
    for one in (yield from _ours(wanted)):
        if one.version != number:
            yield from delete_version(wanted.name, one.version)


def _ours(wanted: _Wanted) -> Exchange[list[ModelVersion]]:
    """Return the versions made for this key; a copy of one carries its tags, and has another name or source."""
    found = yield from versions_tagged(KEY_TAG, wanted.cell)
    return [one for one in found if one.name == wanted.name and one.source == wanted.source.uri]
