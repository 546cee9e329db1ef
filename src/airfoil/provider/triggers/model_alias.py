"""Waits, without a worker, until an alias of a model stands where a sensor wants it.

What is waited for is said once, in `AwaitedAlias`, for the sensor that asks itself and for the trigger. Must not move
anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airfoil.clients.exchange import Exchange
from airfoil.clients.model_registry import version_of
from airfoil.errors import ConfigurationError, NeighbourError, ServiceRefusedError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.records import ModelRef

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AwaitedAlias:
    """Where an alias is wanted: anywhere, at one version, or away from one."""

    model: str
    alias: str
    version: int | None = None
    moved_from: int | None = None

    def look(self) -> Exchange[ModelRef | None]:
        """Return the version that the alias points to, if it is wanted there."""
        found = yield from version_of(self.model, self.alias)
        if found is None or (self.version is not None and found.version != self.version):
            return None
        if found.version == self.moved_from:
            return None
        uri = f"models:/{self.model}/{found.version}"
        return ModelRef(name=self.model, uri=uri, run_id=found.run_id or "-", version=found.version)


class ModelAliasTrigger(BaseTrigger):
    """Asks again and again; a server that does not answer is waited for, one that refuses us is an event."""

    def __init__(
        self,
        *,
        model: str,
        alias: str,
        version: int | None = None,
        moved_from: int | None = None,
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        poll_seconds: float = 10.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take what is waited for, and where."""
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own has no types
        self.awaited = AwaitedAlias(model, alias, version, moved_from)
        self.mlflow_conn_id = mlflow_conn_id
        self.poll_seconds = poll_seconds
        self._pause = pause

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger again in the triggerer."""
        place = f"{type(self).__module__}.{type(self).__qualname__}"
        given = {"mlflow_conn_id": self.mlflow_conn_id, "poll_seconds": self.poll_seconds}
        return place, asdict(self.awaited) | given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: the version, or why waiting makes no sense."""
        try:
            async with await MlflowHook(self.mlflow_conn_id).async_http() as http:
                while True:
                    try:
                        found = await http.do(self.awaited.look())
                    except ServiceRefusedError:
                        raise
                    except NeighbourError as error:
                        log.warning("%s; asking again in %g s", error, self.poll_seconds)
                        found = None
                    if found is not None:
                        yield TriggerEvent({"version": found.to_json()})
                        return
                    await self._pause(self.poll_seconds)
        except (ConfigurationError, ServiceRefusedError) as error:
            yield TriggerEvent({"error": error.in_full})
