"""Where Celery's messages lie in Redis: in a queue, with a worker, or nowhere; and how one is given back.

Redis knows nothing of a message that a worker has taken: Celery's transport keeps it in a table until the worker says
that it is done with it, and gives it back when a time is over that must be longer than any task: a month. Whether the
worker still lives is known earlier, by asking. Must not know Airflow; what is lost is decided elsewhere.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

ANSWER_SECONDS = 1.0
"""How long workers have to answer; whoever asks waits all of it."""
RESERVED_SECONDS = 600.0
"""So long a message may wait in a worker for a free process; then another worker may have it as well."""


@dataclass(frozen=True)
class Taken:
    """A message that some worker took and has not finished."""

    tag: str
    age_seconds: float


@dataclass(frozen=True)
class Whereabouts:
    """Where messages lie, by the id of their task."""

    waiting: frozenset[str]
    taken: Mapping[str, Taken]

    def left_by_their_worker(self, wanted: Collection[str], seconds: float) -> dict[str, Taken]:
        """Those that somebody took so long ago that work on them should have begun."""
        return {
            name: taken
            for name, taken in self.taken.items()
            if name in wanted and name not in self.waiting and taken.age_seconds > seconds
        }

    def nowhere(self, wanted: Collection[str]) -> set[str]:
        """Those that nobody has: lost by Redis, or never sent. A message on its way to a worker looks like this too."""
        return set(wanted) - self.waiting - set(self.taken)


class CeleryMessages:
    """The broker of a Celery application, if that is Redis."""

    def __init__(self, application: Any, clock: Callable[[], float] = time.time) -> None:
        """Connect only when asked something."""
        self._application = application
        self._clock = clock

    def find(self, queues: Iterable[str]) -> Whereabouts | None:
        """Look at everything that these queues hold and workers have taken; None where it is not Redis.

        Other brokers give a message back themselves when its worker's connection ends.
        """
        with self._application.connection_for_read() as connection:
            channel = connection.default_channel
            if not hasattr(channel, "unacked_key"):
                return None
            # Queues first: what moves from them to a worker meanwhile is then seen twice, not never. Nobody sends
            # tasks of Airflow with a priority, which would be a queue of its own. These two commands are not among
            # those that the transport prefixes by itself.
            prefix = channel.global_keyprefix
            waiting = frozenset(
                _task_id(json.loads(text))
                for queue in queues
                for text in channel.client.lrange(f"{prefix}{queue}", 0, -1)
            )
            now = self._clock()
            since = dict(channel.client.zrange(channel.unacked_index_key, 0, -1, withscores=True))
            kept = channel.client.hgetall(f"{prefix}{channel.unacked_key}")
            taken = {
                _task_id(json.loads(text)[0]): Taken(tag.decode(), now - since.get(tag, now))
                for tag, text in kept.items()
            }
        return Whereabouts(waiting, taken)

    def held(self, taken: Mapping[str, Taken]) -> set[str]:
        """Which of these a living worker is at, or will be: one that is "reserved" waits there for a free process.

        After its connection broke, a worker drops what it has not begun, and yet names that for ever, as "ready".
        """
        answers = self._application.control.inspect(timeout=ANSWER_SECONDS).query_task(*taken) or {}
        # A worker that could not answer says "error", which is no task.
        states = [
            (name, said[0]) for found in answers.values() for name, said in found.items() if name in taken
        ]
        return {
            name
            for name, state in states
            if state == "active" or (state == "reserved" and taken[name].age_seconds < RESERVED_SECONDS)
        }

    def give_back(self, taken: Iterable[Taken]) -> None:
        """Put messages back where the next free worker finds them."""
        with self._application.connection_for_write() as connection:
            channel = connection.default_channel
            for one in taken:
                channel.qos.restore_by_tag(one.tag, channel.client)


def _task_id(message: Mapping[str, Any]) -> str:
    return str(message.get("headers", {}).get("id", ""))
