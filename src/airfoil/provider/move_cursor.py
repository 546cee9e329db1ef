"""The place up to which moves of an alias were told to Airflow, kept by the very transaction that tells them.

Airflow's triggerer stores an asset event in one transaction and knows nothing of where it came from. Stored before or
after it, the place would lose a move, or tell it twice, when the triggerer dies in between. So this listens to the
insert itself: the row of an event and the place move together, and an event that is recorded already is taken out
again, whoever sent it twice. The place lies in Airflow's asset state store, where the trigger reads it.

Runs in processes that own a database session, between a flush and its commit: it must ask nobody else and never raise.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

CURSOR_KEY = "airfoil.moves"
"""Under this key of the asset's state store lies the number of the last move that Airflow knows of."""
_log = logging.getLogger(__name__)
_installed = False


def install() -> None:
    """Keep the place from now on in this process, and in those that are forked from it."""
    global _installed  # noqa: PLW0603 - a process has one set of tables, and a fork inherits what was said about it
    from airflow.models.asset import AssetEvent
    from sqlalchemy import event

    if not _installed:
        event.listen(AssetEvent, "after_insert", keep)
        _installed = True


def is_installed() -> bool:
    """Whether this process, or the one it was forked from, keeps the place."""
    return _installed


def keep(_mapper: object, connection: Connection, recorded: Any) -> None:
    """Move the place to the event that was just written, or take the event out when the place is there already."""
    try:
        number = move_number(recorded.extra)
        if number is not None:
            with connection.begin_nested():  # what fails here must not fail the event
                _keep(connection, recorded, number)
    except Exception:  # noqa: BLE001 - whatever it is, the event is worth more than the place
        _log.exception("The place of asset %s could not be kept; a move may be told again", recorded.asset_id)


def move_number(extra: Mapping[str, Any] | None) -> int | None:
    """Return the number of the move that an asset event tells of; None when it is not one of ours."""
    payload = (extra or {}).get("payload")
    if not (extra or {}).get("from_trigger") or not isinstance(payload, dict):
        return None
    number = payload.get("number")
    ours = isinstance(number, int) and {"model", "alias"} <= payload.keys()
    return number if ours else None


def _keep(connection: Connection, recorded: Any, number: int) -> None:
    from airflow.models.asset import AssetEvent
    from airflow.models.asset_state_store import AssetStateStoreModel
    from sqlalchemy import delete, select, update

    states, events = AssetStateStoreModel.__table__, AssetEvent.__table__
    mine = (states.c.asset_id == recorded.asset_id) & (states.c.key == CURSOR_KEY)
    stored = connection.execute(select(states.c.value).where(mine).with_for_update()).scalar()
    known = _number(stored)
    if known is None:  # no trigger of ours began on this asset, or its store keeps values elsewhere
        _renew_notes(connection, recorded.asset_id)
        return
    if number <= known:
        connection.execute(delete(events).where(events.c.id == recorded.id))
        _log.warning("Move %s of asset %s was told before; told once is enough", number, recorded.asset_id)
        return
    connection.execute(
        update(states).where(mine).values(value=json.dumps(number), updated_at=datetime.now(UTC))
    )
    _renew_notes(connection, recorded.asset_id)


def _renew_notes(connection: Connection, asset_id: int) -> None:
    """Have the next run of each waiting DAG see this event as well.

    Triggers tell their events past the configured asset manager; `airfoil.provider.asset_manager` says what it is for.
    """
    from airflow.models.asset import AssetDagRunQueue
    from sqlalchemy import update

    notes = AssetDagRunQueue.__table__
    connection.execute(update(notes).where(notes.c.asset_id == asset_id).values(created_at=datetime.now(UTC)))


def _number(stored: str | None) -> int | None:
    try:
        found = json.loads(stored or "null")
    except ValueError:
        return None
    return found if isinstance(found, int) else None
