"""Asks every running service how it is, in a thread of its own, and hands the verdicts to the manager's loop.

Often while something starts, every few seconds when all is well. Must not decide what a verdict means.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, NamedTuple

from airfoil.stack import health, port_probe, process
from airfoil.stack.supervision import RUNNING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from airfoil.stack.service import Probe
    from airfoil.stack.watched import Watched

CALM_SECONDS = 5.0
"""Between two looks at everybody ..."""
URGENT_SECONDS = 0.1
"""... and at those that are on their way: a busier look would take the time they need for it."""
HEALTH_HOLDER = "api-server"
"""Heartbeats are read through it: while it is away they say nothing about the others."""


class Question(NamedTuple):
    """What to ask about one service, fixed when the round begins."""

    name: str
    pid: int
    probe: Probe
    was_ready: bool
    started_at: float | None
    port: int | None = None


class Prober:
    """One round at a time; `wake` gets a byte when a round is over."""

    def __init__(self, wake: socket.socket) -> None:
        self._wake = wake
        self._results: queue.SimpleQueue[list[tuple[Question, health.Health]]] = queue.SimpleQueue()
        self._asked: list[Question] = []
        self._under_way = False
        self._next_round = 0.0
        self._next_look = 0.0
        self._pids: dict[str, int | None] = {}
        self._epochs: dict[int, float] = {}

    def look_if_due(self, watched: Iterable[Watched], now: float) -> None:
        """Begin a round unless one is under way or nobody needs one yet."""
        rows = list(watched)
        self._pids = {one.service.name: one.pid for one in rows}
        due = [one for one in rows if one.state in RUNNING and one.pid is not None and one.service.probe.url]
        if now < self._next_round:
            due = [one for one in due if one.state != "ready"]
        if self._under_way or not due or now < self._next_look:
            return
        self._under_way = True
        self._next_look = now + URGENT_SECONDS
        if now >= self._next_round:
            self._next_round = now + CALM_SECONDS
        holder_ready = all(one.state == "ready" for one in rows if one.service.name == HEALTH_HOLDER)
        questions = [
            Question(
                one.service.name,
                one.pid or 0,
                one.service.probe,
                one.state != "starting",
                self._epoch(one.pid),
                one.service.port,
            )
            for one in due
        ]
        threading.Thread(target=self._look, args=(questions, holder_ready), daemon=True, name="probe").start()

    def verdicts(self) -> Iterator[tuple[str, health.Health]]:
        """What the last round found about processes that are still the same."""
        while not self._results.empty():
            self._under_way = False
            for question, verdict in self._results.get():
                if self._pids.get(question.name) == question.pid:
                    yield question.name, verdict

    def _look(self, questions: list[Question], holder_ready: bool) -> None:  # noqa: FBT001 - a thread's argument
        found: list[tuple[Question, health.Health]] = []
        answers: dict[str, health.Answer] = {}
        try:
            for question in questions:
                url = question.probe.url
                if url not in answers:
                    answers[url] = health.fetch(url)
                heard = answers[url].status != 0 and holder_ready
                if question.probe.kind == "heartbeat" and question.was_ready and not heard:
                    continue
                verdict = health.judge(question.probe, answers[url], question.started_at)
                found.append((question, self._own(question) if verdict.healthy else verdict))
        finally:
            self._results.put(found)
            with contextlib.suppress(OSError):
                self._wake.send(b"\0")

    @staticmethod
    def _own(question: Question) -> health.Health:
        """Make sure, once, that it is our service that answers so well, and not another server on its port."""
        if question.port is None or question.was_ready:
            return health.Health(True)
        stranger = port_probe.stranger_on(question.port, process.members(question.pid))
        if stranger:
            return health.Health(False, f"port {question.port} is in use by {stranger}, which is not ours")
        return health.Health(True)

    def _epoch(self, pid: int | None) -> float | None:
        if pid is None:
            return None
        if pid not in self._epochs:
            self._epochs = {
                known: at for known, at in self._epochs.items() if process.birth(known) is not None
            }
            self._epochs[pid] = process.started_at_epoch(pid) or 0.0
        return self._epochs[pid]
