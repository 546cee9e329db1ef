"""A CeleryExecutor that loses no task: not with a killed worker, not with the broker, not with a killed scheduler.

Airflow's own sends a task once. A worker that dies with a task it has taken and not begun, a Redis that forgets, and a
scheduler that dies before it has sent leave it `queued` for ten minutes; a broker that is away for a second fails the
tasks that should have been sent; and a result that it lost takes a slot for ever. This one looks for messages that
nobody has and sends them again. That is safe: Airflow's API server starts a task instance for the first that asks and
refuses every other. It believes the database that a task has ended. Scheduling is Airflow's.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.executors.workloads import ExecuteTask
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.celery.executors import celery_executor
from airflow.providers.celery.executors.celery_executor_utils import ExceptionWithTraceback
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from celery.result import AsyncResult
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import select

from airfoil.runtime.celery_messages import CeleryMessages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

BROKER_FAULTS = (OperationalError, RedisError, AirflowTaskTimeout, OSError)
"""What is the broker's trouble, and not the fault of a task: away, slow, full, or still loading."""
SILENT_SECONDS = 30.0
"""A task that was queued, or whose message was taken, so long ago should have begun, unless it waits in a queue."""
LOOK_SECONDS = 10.0
"""How often the database is asked about what was sent. What is amiss must be so twice in a row."""
UNDER_WAY = {TaskInstanceState.QUEUED, TaskInstanceState.RUNNING, TaskInstanceState.RESTARTING}


class CeleryExecutor(celery_executor.CeleryExecutor):
    """Airflow's, which keeps what it could not send, and sends again what was lost."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Know the broker by Airflow's own Celery application."""
        super().__init__(*given, **named)  # type: ignore[no-untyped-call]
        self._messages = CeleryMessages(self.celery_app)
        self._next_look = 0.0
        self._missing: set[str] = set()
        self._over: set[str] = set()

    def sync(self) -> None:
        """Hear what has ended, and now and then look for what should have begun."""
        try:
            super().sync()
            if self.workloads and time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + LOOK_SECONDS
                with create_session() as session:
                    known = self._sent_tasks(session)
                    self._forget_ended(known)
                    self._look_for_lost(_silent(known), session)
        except BROKER_FAULTS as error:
            self.log.warning("The broker does not answer; tasks wait for it: %s", error)

    def try_adopt_task_instances(self, tis: Sequence[TaskInstance]) -> Sequence[TaskInstance]:
        """Take over what a dead scheduler has queued, also while the broker cannot say how it stands."""
        try:
            return super().try_adopt_task_instances(tis)
        except BROKER_FAULTS as error:
            self.log.warning(
                "The broker does not answer; %d tasks are taken over unseen: %s", len(tis), error
            )
        known = [ti for ti in tis if ti.external_executor_id]
        for ti in known:
            self.workloads[ti.key] = AsyncResult(ti.external_executor_id, app=self.celery_app)
            self.running.add(ti.key)
        return [ti for ti in tis if not ti.external_executor_id]

    def _send_workloads_to_celery(self, workload_tuples_to_send: Sequence[Any]) -> list[Any]:
        """Send, the first one alone: if the broker refuses that, the others need not wait for as long each.

        What is left out of the answer stays with the executor, which sends it in its next round.
        """
        sent: list[Any] = []
        for part in (workload_tuples_to_send[:1], workload_tuples_to_send[1:]):
            answers = super()._send_workloads_to_celery(part) if part else []
            refused = [answer for _, _, answer in answers if _is_of_the_broker(answer)]
            sent += [one for one in answers if not _is_of_the_broker(one[2])]
            if refused:
                waiting = len(workload_tuples_to_send) - len(sent)
                self.log.warning(
                    "The broker took no message; %d wait for it: %s", waiting, refused[0].exception
                )
                break
        return sent

    def _forget_ended(self, known: Mapping[str, TaskInstance]) -> None:
        """Give the slots of tasks back whose end the broker has not told of: its word was lost, theirs is written."""
        sent = {
            result.task_id: key for key, result in self.workloads.items() if isinstance(key, TaskInstanceKey)
        }
        over = {name for name in sent if name not in known or known[name].state not in UNDER_WAY}
        for name in over & self._over:
            self.log.warning("%s has ended; the broker does not know of it.", sent[name])
            self.workloads.pop(sent[name], None)
            self.running.discard(sent[name])
        self._over = over - self._over

    def _look_for_lost(self, silent: Mapping[str, TaskInstance], session: Session) -> None:
        found = self._messages.find({str(ti.queue) for ti in silent.values()}) if silent else None
        if found is None:
            self._missing = set()
            return
        if left := found.left_by_their_worker(silent.keys(), SILENT_SECONDS):
            held = self._messages.held(left)
            gone = {name: taken for name, taken in left.items() if name not in held}
            self._messages.give_back(gone.values())
            for name in gone:
                self.log.warning("No worker has %s, which one had taken; another may.", silent[name])
        missing = found.nowhere(silent.keys())
        for name in missing & self._missing:
            self.log.warning("The message of %s is lost; it is sent again.", silent[name])
            again = ExecuteTask.make(
                silent[name], generator=self.jwt_generator, sentry_integration=self.sentry_integration
            )
            # It gives its slot back first: in an executor that is full of lost ones, none would be sent again.
            self.running.discard(again.key)
            self.workloads.pop(again.key, None)
            self.queue_workload(again, session)
        self._missing = missing - self._missing

    def _sent_tasks(self, session: Session) -> dict[str, TaskInstance]:
        """What this executor has sent, as the database knows it, by the id of its message."""
        keys = [key for key in self.workloads if isinstance(key, TaskInstanceKey)]
        wanted = TaskInstance.filter_for_tis(keys)  # by what there is an index of
        if wanted is None:
            return {}
        sent = {result.task_id for result in self.workloads.values()}
        found = session.scalars(select(TaskInstance).where(wanted))
        return {str(ti.external_executor_id): ti for ti in found if ti.external_executor_id in sent}


def _silent(known: Mapping[str, TaskInstance]) -> dict[str, TaskInstance]:
    """Those that nobody has begun for so long that somebody should have."""
    before = datetime.now(UTC) - timedelta(seconds=SILENT_SECONDS)
    return {
        name: ti
        for name, ti in known.items()
        if ti.state == TaskInstanceState.QUEUED and ti.queued_dttm and ti.queued_dttm < before
    }


def _is_of_the_broker(answer: Any) -> bool:
    return isinstance(answer, ExceptionWithTraceback) and isinstance(answer.exception, BROKER_FAULTS)
