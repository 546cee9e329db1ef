"""The trigger behind `mlflow://model/NAME@ALIAS`: one asset event for each move of the alias, in order.

Exactly one: the number of the last move that Airflow knows of is kept by the transaction that stores the event (see
`move_cursor`), and this begins after it. The first time it begins at the present head: history is not told.
Runs in the triggerer's event loop: it must not block, and has no database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airfoil.errors import ConfigurationError
from airfoil.provider import move_cursor
from airfoil.provider.doorbell import answer_the_door, webhook_settings
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.move_stream import LONGEST_PAUSE_SECONDS, Audience, MoveStream, News

if TYPE_CHECKING:
    from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
    from airfoil.records import LedgerEntry

WATCHED_KEY = "airfoil.watched"
SETTLE_SECONDS = 10.0
"""How long the triggerer surely has stored an event, where nobody keeps the place with it."""
_log = logging.getLogger(__name__)


class ModelMovesTrigger(BaseEventTrigger):
    """Fires once for each entry of an alias's promotion ledger; moves made outside Airfoil are entered on sight."""

    audiences: ClassVar[dict[Hashable, Audience]] = {}

    def __init__(
        self,
        model: str,
        alias: str,
        mlflow_conn_id: str = "mlflow_default",
        poll_seconds: float = 3,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **kwargs: Any,
    ) -> None:
        """Name the alias and the server; nothing is asked yet."""
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        if poll_seconds <= 0:
            raise ConfigurationError("'poll_seconds' of a model's watcher must be positive", "Such as 3.")
        self.model = model
        self.alias = alias
        self.mlflow_conn_id = mlflow_conn_id
        self.poll_seconds = poll_seconds
        self._pause = pause

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments that make this trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "model": self.model,
            "alias": self.alias,
            "mlflow_conn_id": self.mlflow_conn_id,
            "poll_seconds": self.poll_seconds,
        }

    def shared_stream_key(self) -> Hashable:
        """Share one poll with all watchers of the same server."""
        return _stream_key(self.mlflow_conn_id, self.poll_seconds)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[News]:
        """Open the poll that is shared."""
        conn_id, poll_seconds = kwargs["mlflow_conn_id"], kwargs["poll_seconds"]

        async def connect() -> MlflowAsyncHttp:
            try:
                return await MlflowHook(conn_id).async_http()
            except AirflowNotFoundException as error:
                raise ConfigurationError(
                    f"Airflow has no connection '{conn_id}'",
                    "Add one of the type MLflow under Admin, Connections.",
                ) from error

        audience = cls._audience(_stream_key(conn_id, poll_seconds))
        stream = MoveStream(connect, audience, poll_seconds=poll_seconds)
        settings = webhook_settings()
        door = (
            asyncio.create_task(answer_the_door(settings, connect, audience.stir.set)) if settings else None
        )
        try:
            async for news in stream.news():
                yield news
        finally:
            if door is not None:
                door.cancel()
            await stream.close()

    async def filter_shared_stream(self, shared_stream: AsyncIterator[News]) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each move that Airflow does not know of yet."""
        known = await self._place()
        with self._audience(self.shared_stream_key()).follow((self.model, self.alias)):
            async for news in shared_stream:
                if (news.model, news.alias) != (self.model, self.alias):
                    continue
                if known is None:
                    known = len(news.entries)
                    await self._begin_at(known)
                    continue
                for entry in news.entries[known:]:
                    yield TriggerEvent(payload_of(entry))
                if len(news.entries) > known:
                    known = len(news.entries)
                    await self._settle(known)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Do the same alone, where nothing is shared."""
        stream = self.open_shared_stream(
            {"mlflow_conn_id": self.mlflow_conn_id, "poll_seconds": self.poll_seconds}
        )
        async for event in self.filter_shared_stream(stream):
            yield event

    @classmethod
    def _audience(cls, key: Hashable) -> Audience:
        return cls.audiences.setdefault(key, Audience())

    async def _place(self) -> int | None:
        """Return the number of the last move that Airflow knows of; None when nobody ever watched."""
        if self.asset_state_store is None:
            return None
        await self._write(WATCHED_KEY, True)  # a store that is closed (no active asset) seems empty when read
        stored = await self.asset_state_store.aget(move_cursor.CURSOR_KEY)
        return stored if isinstance(stored, int) else None

    async def _begin_at(self, number: int) -> None:
        _log.info(
            "%s@%s is watched from move %s on; earlier ones are not told", self.model, self.alias, number
        )
        await self._write(move_cursor.CURSOR_KEY, number)

    async def _settle(self, number: int) -> None:
        """Keep the place ourselves where Airfoil's plugin does not: then a crash in between tells a move twice."""
        if self.asset_state_store is None or move_cursor.is_installed():
            return
        _log.warning(
            "Airfoil's plugin is not loaded in the triggerer: a move may be told twice after a crash"
        )
        await self._pause(SETTLE_SECONDS)
        stored = await self.asset_state_store.aget(move_cursor.CURSOR_KEY)
        if not isinstance(stored, int) or stored < number:
            await self._write(move_cursor.CURSOR_KEY, number)

    async def _write(self, key: str, value: int | bool) -> None:  # noqa: FBT001 - a value to store, not a switch
        """Write into the asset's store; it opens when the scheduler has made the asset active."""
        if self.asset_state_store is None:
            return
        seconds = 1.0
        while True:
            try:
                await self.asset_state_store.aset(key, value)
            except AirflowRuntimeError as error:
                _log.info("The state store of %s@%s is not open yet: %s", self.model, self.alias, error)
                await self._pause(seconds)
                seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)
            else:
                return


def payload_of(entry: LedgerEntry) -> dict[str, Any]:
    """Return what an asset event says of a move; everything else stands in the ledger."""
    return {
        "model": entry.model,
        "alias": entry.alias,
        "number": entry.number,
        "from_version": entry.from_version,
        "to_version": entry.to_version,
        "kind": entry.kind,
        "who": entry.who,
        "at": entry.at.isoformat(),
    }


def _stream_key(conn_id: str, poll_seconds: float) -> Hashable:
    return ("airfoil.model_moves", conn_id, float(poll_seconds))
