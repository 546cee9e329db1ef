"""Waits, without a worker, until tables lie where they should.

What is waited for is said once, in `AwaitedTables`, for the sensor that asks itself and for the trigger. It knows its
own end, so that the failure says what was still missing. Must not read a table.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airfoil.clients.publication import Sighting, look_for
from airfoil.clients.table_sources import TableSource
from airfoil.errors import ConfigurationError, NeighbourError, NotFoundError, ServiceRefusedError
from airfoil.provider.table_inputs import address_of, table_source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AwaitedTables:
    """Tables, each as an operator is given one; a relative path begins at the DAG file."""

    tables: Sequence[Any]
    dag_file: str = ""

    def missing(self, look: Callable[[TableSource], Sighting] = look_for) -> list[str]:
        """Return what is not there yet, each with what was seen; a neighbour that does not tell counts as that."""
        found = []
        for at, given in enumerate(self.tables):
            try:
                source = table_source(given, f"tables[{at}]", dag_file=self.dag_file)
            except NotFoundError as error:
                if not isinstance(given, str):
                    raise  # a connection is not there
                found.append(f"{given} ({error})")  # a relative path that leads to nothing yet
                continue
            try:
                sighting = look(source)
            except ServiceRefusedError:
                raise
            except NeighbourError as error:
                sighting = Sighting(found=False, said=str(error))
            if not sighting.found:
                found.append(f"{address_of(source)} ({sighting.said})")
        return found


def too_late(missing: Sequence[str], waited_seconds: float) -> str:
    """Return the sentence for tables that did not come."""
    hours = waited_seconds / 3600
    waited = f"{hours:.0f} hours" if hours >= 2 else f"{waited_seconds:.0f} seconds"  # noqa: PLR2004 - two can be said
    return f"Not published after {waited}: {'; '.join(missing)}. Run the DAG again when it is there."


class PublishedTablesTrigger(BaseTrigger):
    """Looks again and again; its one event says that all is there, or why waiting has ended."""

    def __init__(
        self,
        *,
        tables: Sequence[Any],
        dag_file: str = "",
        poll_seconds: float = 3600.0,
        until_epoch: float = 0.0,
        waited_seconds: float = 0.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        look: Callable[[TableSource], Sighting] = look_for,
    ) -> None:
        """Take what is waited for; 0 as `until_epoch` is for ever."""
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own has no types
        self.awaited = AwaitedTables(list(tables), dag_file)
        self.poll_seconds = poll_seconds
        self.until_epoch = until_epoch
        self.waited_seconds = waited_seconds
        self._pause = pause
        self._clock = clock
        self._look = look

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger again in the triggerer."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "tables": list(self.awaited.tables),
            "dag_file": self.awaited.dag_file,
            "poll_seconds": self.poll_seconds,
            "until_epoch": self.until_epoch,
            "waited_seconds": self.waited_seconds,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event."""
        try:
            while True:
                # Files and stores are asked by functions that block, and so are Airflow's connections.
                missing = await sync_to_async(self.awaited.missing, thread_sensitive=False)(self._look)
                if not missing:
                    yield TriggerEvent({"published": True})
                    return
                if self.until_epoch and self._clock() >= self.until_epoch:
                    yield TriggerEvent({"error": too_late(missing, self.waited_seconds)})
                    return
                log.info("Not there yet: %s", "; ".join(missing))
                await self._pause(self._next_pause())
        except (ConfigurationError, ServiceRefusedError) as error:
            yield TriggerEvent({"error": error.in_full})

    def _next_pause(self) -> float:
        """Return how long to wait: to the end at most, so that the last look is at the end."""
        if not self.until_epoch:
            return self.poll_seconds
        return max(0.0, min(self.poll_seconds, self.until_epoch - self._clock()))
