"""The one background thread per process that keeps MLflow runs in step with Airflow's.

It settles DAG runs that ended, and looks now and then for runs that were left behind. Whoever tells it something only
leaves a note: it must never make the scheduler wait, whatever MLflow does. What it does, and how, is the reaper's.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol, TypeAlias

log = logging.getLogger(__name__)

MAX_NOTES = 1000
SETTLE_AFTER_SECONDS = 1.0
"""Airflow tells of a state before it is committed."""
SETTLE_AGAIN_SECONDS = (3.0, 10.0, 25.0)
"""When to look again at a DAG run that is not settled: not committed yet, or a task of it is about to end."""
FIRST_ROUND_SECONDS = 5.0
"""A starting scheduler has better things to do."""
FAREWELL_SECONDS = 2.0
"""How long a process that ends by itself waits for its last notes (`dag.test()` ends right after its DAG run)."""

DagRunId: TypeAlias = tuple[str, str]
Notes: TypeAlias = dict[DagRunId, tuple[float, int]]
"""When each is to be settled, and how often that was tried."""


class Work(Protocol):
    """What the thread does; the reaper."""

    def settle(self, ended: Collection[DagRunId]) -> set[DagRunId]:
        """Close what belongs to DAG runs that ended; return those that are worth another look."""

    def round(self) -> None:
        """Look for runs that were left behind."""

    def pause_seconds(self) -> float:
        """How long to wait until the next round; 0: no rounds."""


def reaper() -> Work:
    """Build the reaper from Airflow's configuration."""
    from airfoil.provider.reaper import Reaper

    return Reaper.from_configuration()


class RunKeeper:
    """Notes of DAG runs to settle, and the thread that works through them; it is started by the first need for it."""

    _work: Work | None

    def __init__(
        self, make_work: Callable[[], Work] = reaper, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know nothing yet; no thread runs."""
        self._make_work = make_work
        self._clock = clock
        self._forget()

    def settle_soon(self, dag_id: str, run_id: str) -> None:
        """Note that a DAG run has ended. Returns at once; a note too many is dropped, and found by a later round."""
        with self._waking():
            if self._broken:
                return
            key = (dag_id, run_id)
            if key not in self._notes and len(self._notes) >= MAX_NOTES:
                self._drop()
                return
            self._notes[key] = (self._clock() + SETTLE_AFTER_SECONDS, 0)
            self._start()

    def begin(self) -> None:
        """Look for runs that were left behind from now on, until this process ends."""
        with self._waking():
            # Here and not in the thread: a process forked while a thread imports could never import that again.
            work = self._work = self._made_work()
            self._rounds = True
            self._next_round = self._clock() + FIRST_ROUND_SECONDS
            if work is not None and work.pause_seconds():
                self._start()

    def end(self) -> None:
        """Look no further. Does not wait."""
        with self._waking():
            self._rounds = False

    @property
    def dropped(self) -> int:
        """How many notes found no room."""
        return self._dropped

    def _waking(self) -> threading.Condition:
        if self._owner != os.getpid():  # forked: the thread, and who knows what locks, stayed with the parent
            self._forget()
        return self._changed

    def _forget(self) -> None:
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._notes: Notes = {}
        self._dropped = 0
        self._rounds = False
        self._next_round = 0.0
        self._busy = self._leaving = False
        self._broken = False
        self._work = None
        self._thread: threading.Thread | None = None

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped == 1:
            log.warning(
                "More than %d DAG runs wait for MLflow: the rest is left to later rounds. Is MLflow reachable?",
                MAX_NOTES,
            )

    def _start(self) -> None:
        """With the lock held: start the thread, or wake it."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="airfoil-run-keeper", daemon=True)
            self._thread.start()
            atexit.register(self._farewell)
        else:
            self._changed.notify_all()

    def _farewell(self) -> None:
        """Give the last notes a moment; a process that was told to stop looking has its rounds elsewhere."""
        if self._owner != os.getpid():
            return
        with self._changed:
            self._leaving = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not (self._notes or self._busy), timeout=FAREWELL_SECONDS)

    def _made_work(self) -> Work | None:
        try:
            return self._make_work()
        except Exception:
            self._broken = True
            log.exception("MLflow runs are not kept in step with Airflow's: the reaper could not be made")
            return None

    # -- the thread

    def _run(self) -> None:
        work = self._work or self._made_work()
        while work is not None:
            self._do(work, self._next_job(work))

    def _next_job(self, work: Work) -> Notes:
        """Wait for the next thing to do: DAG runs to settle, or none of them for a round."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while True:
                now = self._clock()
                ready = {one: note for one, note in self._notes.items() if note[0] <= now or self._leaving}
                rounds = self._next_round if self._rounds and work.pause_seconds() else math.inf
                if ready or rounds <= now:
                    for one in ready:
                        del self._notes[one]
                    self._busy = True
                    return ready
                wait = min([rounds, *(due for due, _ in self._notes.values())]) - now
                self._changed.wait(None if math.isinf(wait) else wait)

    def _do(self, work: Work, job: Notes) -> None:
        again: set[DagRunId] = set()
        try:
            if job:
                again = work.settle(list(job))
            else:
                work.round()
        except Exception:
            log.exception("MLflow runs could not be looked after; the next round tries again")
        with self._changed:
            if not job:
                self._next_round = self._clock() + work.pause_seconds()
            for one in again - self._notes.keys():
                tries = job[one][1]
                if tries < len(SETTLE_AGAIN_SECONDS) and not self._leaving:
                    self._notes[one] = (self._clock() + SETTLE_AGAIN_SECONDS[tries], tries + 1)
