"""Moved aliases of one MLflow server, as a stream that all watchers of a triggerer share: one poll for many.

Each look costs a request or two when nothing happened. A server that is away makes the stream wait with growing pauses;
it never ends. It must not know what Airflow was told already: watchers do.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.ledger_watch import LedgerWatch, Pair, versions_by_alias
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError, ServiceRefusedError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
    from airfoil.records import LedgerEntry

OUTSIDE_EVERY = 3
"""Looks between two comparisons of aliases with their ledgers, which find moves made outside Airfoil."""
LONGEST_PAUSE_SECONDS = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class News:
    """The ledger of one alias as it stands now: read anew because it grew, or because a watcher has just come."""

    model: str
    alias: str
    entries: tuple[LedgerEntry, ...]


@dataclass
class Audience:
    """Who listens to a stream, so that it looks at their ledgers and no others."""

    following: Counter[Pair] = field(default_factory=Counter)
    unread: set[Pair] = field(default_factory=set)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has come, or a webhook rang; the stream need not rest on."""

    @contextmanager
    def follow(self, pair: Pair) -> Iterator[None]:
        """Listen to one alias for the length of a block."""
        self.following[pair] += 1
        self.unread.add(pair)
        self.stir.set()
        try:
            yield
        finally:
            self.following[pair] -= 1
            if not self.following[pair]:
                del self.following[pair]
                self.unread.discard(pair)

    async def rest(self, seconds: float) -> bool:
        """Wait this long, or until something stirs: then the answer is True."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stir.wait(), seconds)
        return self.stir.is_set()


class MoveStream:
    """Looks at the ledgers of one server, again and again."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[MlflowAsyncHttp]],
        audience: Audience,
        *,
        poll_seconds: float,
    ) -> None:
        """Take a way to a server, and those who listen."""
        self._connect = connect
        self._audience = audience
        self._poll_seconds = poll_seconds
        self._http: MlflowAsyncHttp | None = None
        self._heads: dict[Pair, LedgerEntry | None] = {}
        self._begin_anew()

    async def news(self) -> AsyncIterator[News]:
        """Yield the ledger of an alias when a watcher has come and whenever it grew; for ever."""
        looks, failures, said = 0, 0, ""
        urgent = True
        while True:
            self._audience.stir.clear()
            try:
                async for news in self._look(outside=urgent or looks % OUTSIDE_EVERY == 0):
                    yield news
                failures, said = 0, ""
            except AirfoilError as error:
                failures += 1
                if str(error) != said:  # once, not every few seconds for a night
                    said = str(error)
                    _log.warning("Moved models cannot be seen: %s. Airfoil goes on looking.", error)
                await self.close()
            looks += 1
            urgent = await self._audience.rest(pause_after(failures, self._poll_seconds))

    async def close(self) -> None:
        """Let go of the connection; the next look makes another and trusts nothing it knew."""
        if self._http is not None:
            await self._http.close()
        self._http = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        claims = Claims()
        self._ledger, self._watch = Ledger(claims), LedgerWatch(claims)

    async def _look(self, *, outside: bool) -> AsyncIterator[News]:
        http = self._http = self._http or await self._connect()
        pairs = set(self._audience.following)
        self._heads = {pair: head for pair, head in self._heads.items() if pair in pairs}
        unread = (self._audience.unread & pairs) | (pairs - self._heads.keys())
        lengths = {pair: head.number if head else 0 for pair, head in self._heads.items()}
        to_read = unread | await http.do(self._watch.grown(lengths))
        to_read |= (await self._moved_outside(http)) if outside else set()
        for model, alias in sorted(to_read):
            news = await self._read(http, model, alias)
            if news is not None:
                self._audience.unread.discard((model, alias))
                yield news

    async def _moved_outside(self, http: MlflowAsyncHttp) -> set[Pair]:
        models = sorted({model for model, _ in self._heads})
        versions = await http.do(versions_by_alias(models))
        return {
            pair
            for pair, head in self._heads.items()
            if versions.get(pair) != (head.to_version if head else None)
        }

    async def _read(self, http: MlflowAsyncHttp, model: str, alias: str) -> News | None:
        """Read one ledger, after its alias was brought to its head or a move from outside into the ledger."""
        try:
            await http.do(self._ledger.reconcile(model, alias))
        except NotFoundError:
            pass  # a model that is yet to come
        except (ConfigurationError, ServiceRefusedError) as error:  # such as a login that may only read
            _log.warning("%s@%s cannot be compared with its ledger: %s", model, alias, error)
        try:
            entries = tuple(await http.do(self._ledger.entries(model, alias)))
        except ConfigurationError as error:
            _log.warning("The ledger of %s@%s cannot be read: %s", model, alias, error)
            return None
        before = self._heads.get((model, alias))
        unread = (model, alias) in self._audience.unread or (model, alias) not in self._heads
        self._heads[model, alias] = entries[-1] if entries else None
        grew = len(entries) > (before.number if before else 0)
        return News(model, alias, entries) if grew or unread else None


def pause_after(failures: int, poll_seconds: float) -> float:
    """Return how long to rest after so many failures in a row."""
    doubled: float = poll_seconds * 2.0 ** min(failures, 10)
    return max(poll_seconds, min(doubled, LONGEST_PAUSE_SECONDS))
