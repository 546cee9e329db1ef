"""Write encoded rows into Redis as Feast's Redis store lays them out: one hash for each entity.

A row goes in whole or not at all. Unless the store says `skip_dedup`, a row replaces only an older one, and that holds
against other writers too: the times are read under WATCH and the rows written in a transaction that Redis refuses when
one of them changed in between.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from airfoil.clients.feature_store import cells, encoding, resp
from airfoil.clients.feature_store.cells import Cells, Integers
from airfoil.clients.feature_store.encoding import Encoded
from airfoil.clients.feature_store.resp import Conversation
from airfoil.errors import NeighbourError

_TRANSACTION_ROWS = 192  # Redis compares each watched key with all others of the connection
_PIPELINE_ROWS = 2048
_MOST_RACES = 1000


@dataclass(frozen=True)
class RedisLayout:
    """Where the rows of a view go."""

    project: str
    view: str
    """Its name as the store knows it, with a version where versions are on."""
    key_seconds: int | None = None
    is_newest_kept: bool = True
    """Off is Feast's `skip_dedup`: whoever writes last wins."""


class RedisWriter:
    """Send batches over one connection."""

    def __init__(self, conversation: Conversation, layout: RedisLayout) -> None:
        """Take the connection over."""
        self._talk, self._layout = conversation, layout
        self._time_field = f"_ts:{layout.view}".encode()

    def close(self) -> None:
        """Hang up."""
        self._talk.close()

    def write(self, batch: Encoded) -> int:
        """Write a batch; the number of rows that were newer than what was there."""
        keys = cells.join(batch.rows, [batch.keys, self._layout.project.encode()])
        rows = self._rows(keys, batch)
        if not self._layout.is_newest_kept:
            return self._overwrite(rows, batch.rows)
        questions = resp.commands(batch.rows, [b"HGET", keys, self._time_field])
        names = cells.join(batch.rows, resp.bulk(keys))
        return sum(
            self._replace_older(names, questions, rows, batch.event_us, start)
            for start in range(0, batch.rows, _TRANSACTION_ROWS)
        )

    def _rows(self, keys: Cells, batch: Encoded) -> Cells:
        words: list[bytes | Cells] = [b"HSET", keys, self._time_field, encoding.timestamps(batch.event_us)]
        for name, content in batch.values.items():
            words += [feature_field(self._layout.view, name), content]
        made = resp.commands(batch.rows, words)
        if not self._layout.key_seconds:
            return made
        lifetime = resp.commands(batch.rows, [b"EXPIRE", keys, b"%d" % self._layout.key_seconds])
        return cells.join(batch.rows, [made, lifetime])

    @property
    def _commands_a_row(self) -> int:
        return 2 if self._layout.key_seconds else 1

    def _overwrite(self, rows: Cells, count: int) -> int:
        for start in range(0, count, _PIPELINE_ROWS):
            stop = min(count, start + _PIPELINE_ROWS)
            self._talk.say(rows.flat(start, stop))
            self._talk.skip_lines((stop - start) * self._commands_a_row)
        return count

    def _replace_older(
        self, names: Cells, questions: Cells, rows: Cells, event_us: Integers, start: int
    ) -> int:
        stop = min(len(event_us), start + _TRANSACTION_ROWS)
        watch = b"*%d\r\n$5\r\nWATCH\r\n" % (stop - start + 1) + names.flat(start, stop)
        ask = questions.flat(start, stop)
        for _ in range(_MOST_RACES):
            self._talk.say(watch, ask)
            self._talk.expect(b"+OK\r\n")
            keep = is_newer(event_us[start:stop], encoding.nanoseconds(self._talk.strings(stop - start)))
            kept = int(keep.sum())
            if not kept:
                self._talk.say(resp.command(b"UNWATCH"))
                self._talk.expect(b"+OK\r\n")
                return 0
            if self._commit(rows.flat(start, stop, keep), kept * self._commands_a_row):
                return kept
        raise NeighbourError(
            f"Other writers changed rows of {self._layout.view} faster than they could be read, {_MOST_RACES} times",
            "Let one materialization of a view run at a time, then run it again.",
        )

    def _commit(self, rows: bytes, count: int) -> bool:
        """Write in one transaction; false when somebody else changed one of the keys meanwhile."""
        self._talk.say(resp.command(b"MULTI"), rows, resp.command(b"EXEC"))
        self._talk.expect(b"+OK\r\n" + b"+QUEUED\r\n" * count)
        head = self._talk.line()
        if head == b"*-1":
            return False
        self._talk.skip_lines(count)
        return True


def is_newer(event_us: Integers, stored_ns: Integers) -> cells.Flags:
    """Feast's rule: a row is written unless one of the same time or newer is there; the year 1970 counts as nothing."""
    stored = np.maximum(stored_ns, 0)
    found: cells.Flags = (stored == 0) | (event_us * 1000 > stored)
    return found


def feature_field(view: str, feature: str) -> bytes:
    """The name of a feature's field in the hash: four bytes of its murmur3 hash."""
    import mmh3

    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))
