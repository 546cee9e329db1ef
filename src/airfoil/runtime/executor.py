"""A LocalExecutor that lets the scheduler sleep until there is something to do.

Airflow's scheduler loop sleeps a fixed time between rounds: a second is slow between tasks, a tenth is busy at rest.
Its loop calls `executor.heartbeat()`, and so `sync()`, just before it reads finished events; this class waits there
instead. It wakes when a task reports its end, or when the metadata database changes (SQLite: its files are watched;
a DAG run triggered over the API is seen at once). Scheduling itself is Airflow's, unchanged.
"""

from __future__ import annotations

import gc
import math
import select
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.executors.local_executor import LocalExecutor

from airfoil.runtime.bytecode import keep_none_of_young_files
from airfoil.runtime.database_watch import DatabaseWatch
from airfoil.runtime.user_modules import forget_before_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from airfoil.runtime.file_events import FileEvents

IDLE_SECONDS = 2.0
"""Longest sleep when nothing changes; a due date is then looked at a second late on average."""
BOUNDARY_SECONDS = 0.005
"""SQLite's clock counts whole seconds: what was created within this one is due only when it is over."""
STEP_SECONDS = 0.02
"""Where the system tells of no changes: how often the database is looked at while tasks run ..."""
IDLE_STEP_SECONDS = 0.05
"""... and while none does."""
RETIRE_SECONDS = 20.0
SETTLE_SECONDS = 0.02
"""After a change, wait this long for the rest of the same transaction burst."""


class Waiter:
    """How long one round of the scheduler sleeps.

    Told by `ready` (a result waits), `signature` (the database) and how busy we are. A round that itself wrote, or
    during which somebody wrote, is followed by another at once: a state change often allows the next one.
    """

    def __init__(
        self,
        signature: Callable[[], tuple[int, ...]],
        *,
        watched: bool,
        told: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`watched`: the signature means something; `told`: `ready` returns early when it may have changed."""
        self._signature = signature
        self._watched = watched
        self._told = told
        self._clock = clock
        self._seen = signature()
        self._pace_seconds = IDLE_SECONDS
        self._news = True

    def wait(self, ready: Callable[[float], bool], *, busy: bool) -> str:
        """Block until something happened; what it was: "result", "database" or "time"."""
        reason = self._watch(ready, busy=busy) if self._watched else self._pace(ready, busy=busy)
        self._seen = self._signature()
        self._news = reason != "time"
        return reason

    def _watch(self, ready: Callable[[float], bool], *, busy: bool) -> str:
        # After news, look again when this second is over; without, there is no hurry.
        limit = (1.0 if self._news or busy else IDLE_SECONDS) + BOUNDARY_SECONDS
        until = math.floor(self._clock()) + limit
        step = math.inf if self._told else STEP_SECONDS if busy else IDLE_STEP_SECONDS
        while 0 < (left := until - self._clock()) <= limit:
            if self._signature() != self._seen:
                return self._settle(ready)
            if ready(min(step, left)):
                return "result"
        return "time"

    def _settle(self, ready: Callable[[float], bool]) -> str:
        until = self._clock() + SETTLE_SECONDS
        while 0 < (left := until - self._clock()) <= SETTLE_SECONDS:
            if ready(left):
                return "result"
        return "database"

    def _pace(self, ready: Callable[[float], bool], *, busy: bool) -> str:
        """No file to watch (Postgres): quick rounds after news, slower and slower while nothing happens."""
        self._pace_seconds = min(IDLE_SECONDS, self._pace_seconds * 1.5)
        if ready(self._pace_seconds if busy else IDLE_SECONDS):
            self._pace_seconds = STEP_SECONDS
            return "result"
        return "time"


class WakingLocalExecutor(LocalExecutor):
    """LocalExecutor whose `sync` waits for news, and whose workers go home when there is no work."""

    _known_workers: tuple[int, ...] = ()
    _idle_since: float | None = None
    _events: FileEvents | None = None
    _poll: select.poll
    _under_way: Counter[Any]
    """What was handed to us and has not ended. LocalExecutor's own `running` stays empty (Airflow 3.3.2).

    A task that paused (deferred, or asks a person) and goes on at once is handed over again, as the same try, before
    its first part has been seen to end: it counts twice.
    """

    def start(self) -> None:
        """Open the queues and start the workers; only then is there something to wait for."""
        keep_none_of_young_files()
        forget_before_forks(conf.get("airfoil", "source_folders", fallback=""))
        super().start()
        self._under_way = Counter()
        self._keep_frozen()
        watch = DatabaseWatch(conf.get("database", "sql_alchemy_conn"))
        self._events = watch.events()
        self._poll = select.poll()
        self._poll.register(self._results, select.POLLIN)
        if self._events is not None:
            self._poll.register(self._events, select.POLLIN)
        self._waiter = Waiter(watch.signature, watched=bool(watch), told=self._events is not None)

    def sync(self) -> None:
        """Wait until a task ended or the database changed, then do what LocalExecutor does."""
        busy = bool(self._under_way)
        if self.result_queue.empty():
            self._waiter.wait(self._result_within, busy=busy)
        super().sync()
        self._keep_frozen()
        self._send_idle_home(busy=busy)

    def queue_workload(self, workload: Any, session: Any) -> None:
        """Take work, and remember it until it has ended."""
        super().queue_workload(workload, session)
        self._under_way[workload.key] += 1

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:  # noqa: FBT001, FBT002 - the base class names it so
        """Hear that work has begun or ended.

        That the first part of a task ended whose next part is with us is kept from the scheduler: it would take the
        task, queued again, for one that ended without a word, and fail it.
        """
        if state != "running":
            if self._under_way[key] > 1:
                self._under_way[key] -= 1
                return
            del self._under_way[key]
        super().change_state(key, state, info, remove_running)

    def try_adopt_task_instances(self, tis: Sequence[Any]) -> Sequence[Any]:
        """Keep what we run ourselves; the rest goes back into the queue.

        A scheduler that could not write its heartbeat for a while (a crowded machine, a laptop that slept) declares
        even itself dead, and would start its own running tasks once more beside themselves.
        """
        return [ti for ti in tis if ti.key not in self._under_way]

    def _keep_frozen(self) -> None:
        """Keep the inherited objects out of the collector's sight.

        LocalExecutor unfreezes them after it has forked workers; the next full collection would then write to every
        page that is shared with the pre-loaded parent, and so copy it (some 100 MB).
        """
        workers = tuple(self.workers)
        if workers != self._known_workers:
            self._known_workers = workers
            gc.freeze()

    def _send_idle_home(self, *, busy: bool) -> None:
        """End workers that have had nothing to do for a while; LocalExecutor forks new ones with the next task.

        Each task makes its worker write to shared pages, some 30 MB in the end. A fresh fork takes 10 ms.
        """
        now = time.monotonic()
        if busy or not self.workers:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since > RETIRE_SECONDS:
            for _ in self.workers:
                self.activity_queue.put(None)
            for worker in self.workers.values():
                worker.join(timeout=1)
            super().sync()  # collects them
            self._idle_since = None

    @property
    def _results(self) -> Connection:
        # A SimpleQueue cannot wait for a while otherwise.
        return self.result_queue._reader  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001 - see above

    def _result_within(self, seconds: float) -> bool:
        """Wait for a result; news of the database end the wait as well."""
        found = {number for number, _ in self._poll.poll(math.ceil(seconds * 1000))}
        if self._events is not None and self._events.fileno() in found:
            self._events.read()
        return self._results.fileno() in found
