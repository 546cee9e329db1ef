"""An executor that loses no task, on Airflow's own class; broker and database are made up."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from airflow.executors.workloads import BundleInfo, ExecuteTask
from airflow.executors.workloads.task import TaskInstanceDTO
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.celery.executors import celery_executor as theirs
from airflow.providers.celery.executors.celery_executor_utils import ExceptionWithTraceback
from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from celery import Celery
from celery.backends.filesystem import FilesystemBackend
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import ResponseError

from airfoil.runtime import celery_executor
from airfoil.runtime.celery_messages import Taken, Whereabouts

pytestmark = pytest.mark.unit


class Messages:
    """A broker that holds what the test says."""

    def __init__(self, found=None, held=()):
        self.found, self.living, self.returned, self.asked = found, set(held), [], []

    def find(self, queues):
        self.asked.append(set(queues))
        return self.found

    def held(self, taken):
        return self.living & set(taken)

    def give_back(self, taken):
        self.returned += [one.tag for one in taken]


@pytest.fixture
def executor(monkeypatch):
    made = celery_executor.CeleryExecutor(parallelism=4)
    monkeypatch.setattr(
        celery_executor,
        "ExecuteTask",
        SimpleNamespace(make=lambda ti, **_given: SimpleNamespace(key=ti.name)),
    )
    monkeypatch.setattr(made, "queue_workload", lambda workload, _session: queued.append(workload.key))
    made.silent = {name: SimpleNamespace(queue="ml", name=name) for name in ("a", "b")}
    queued = made.queued_again = []
    return made


def key(number):
    return TaskInstanceKey("dag", f"task{number}", "run", 1, -1)


def workload(number):
    ti = TaskInstanceDTO(
        id=uuid4(),
        dag_version_id=uuid4(),
        task_id=f"task{number}",
        dag_id="dag",
        run_id="run",
        try_number=1,
        pool_slots=1,
        queue="ml",
        priority_weight=1,
    )
    return ExecuteTask(
        ti=ti, dag_rel_path="a.py", token="", log_path="", bundle_info=BundleInfo(name="dags", version=None)
    )


def look(executor, messages):
    executor._messages = messages
    executor._look_for_lost(executor.silent, None)


# -- what was lost


def test_a_message_that_is_missing_twice_in_a_row_is_sent_again_and_only_once(executor):
    lost = Messages(Whereabouts(frozenset("b"), {}))
    look(executor, lost)
    assert executor.queued_again == []
    look(executor, lost)
    assert executor.queued_again == ["a"]
    look(executor, lost)
    assert len(executor.queued_again) == 1, "the one that was sent again has the same time to appear"
    assert lost.asked[0] == {"ml"}


def test_an_executor_that_is_full_of_lost_messages_sends_them_again(monkeypatch):
    full = celery_executor.CeleryExecutor(parallelism=2)
    full._messages = Messages(Whereabouts(frozenset(), {}))
    long_ago = datetime.now(UTC) - timedelta(seconds=99)
    known = {
        f"id {n}": SimpleNamespace(state="queued", queued_dttm=long_ago, queue="ml", n=n) for n in (1, 2)
    }
    full.workloads = {key(ti.n): SimpleNamespace(task_id=name) for name, ti in known.items()}
    full.running = set(full.workloads)
    sent = []

    def send(_self, tuples):
        sent.extend(one[0] for one in tuples)
        return [(one[0], one[1], SimpleNamespace(task_id=f"id {one[1].ti.task_id[-1]}")) for one in tuples]

    monkeypatch.setattr(theirs.CeleryExecutor, "_send_workloads_to_celery", send)
    monkeypatch.setattr(theirs.CeleryExecutor, "sync", lambda _self: None)
    monkeypatch.setattr(full, "_sent_tasks", lambda _session: known)
    monkeypatch.setattr(celery_executor, "create_session", nullcontext)
    monkeypatch.setattr(celery_executor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(
        celery_executor, "ExecuteTask", SimpleNamespace(make=lambda ti, **_given: workload(ti.n))
    )
    monkeypatch.setattr(full, "jwt_generator", None)
    full.heartbeat()
    full.heartbeat()
    assert sent == []
    assert full.slots_occupied == 2, "a new task finds no slot taken twice"
    full.heartbeat()
    assert sorted(sent) == [key(1), key(2)]
    assert full.running == set(full.workloads) == {key(1), key(2)}
    assert full.queued_tasks == {}


def test_a_message_that_appears_between_two_looks_is_not_lost(executor):
    for waiting in ("b", "ab", "b"):
        look(executor, Messages(Whereabouts(frozenset(waiting), {})))
    assert executor.queued_again == []


def test_what_a_worker_that_is_gone_had_taken_is_given_back(executor):
    taken = {"a": Taken("t1", 31.0), "b": Taken("t2", 31.0)}
    gone = Messages(Whereabouts(frozenset(), taken), held="b")
    look(executor, gone)
    assert gone.returned == ["t1"]
    assert executor.queued_again == []


def test_what_was_taken_just_now_is_left_with_whoever_took_it(executor):
    fresh = Messages(Whereabouts(frozenset(), {"a": Taken("t1", 1.0), "b": Taken("t2", 1.0)}))
    look(executor, fresh)
    look(executor, fresh)
    assert fresh.returned == executor.queued_again == []


def test_a_queue_however_long_is_no_loss(executor):
    look(executor, Messages(Whereabouts(frozenset("ab"), {})))
    look(executor, Messages(Whereabouts(frozenset("ab"), {})))
    assert executor.queued_again == []


def test_another_broker_or_nothing_silent_is_not_looked_into(executor):
    look(executor, Messages(None))
    executor.silent = {}
    nothing = Messages(Whereabouts(frozenset(), {}))
    look(executor, nothing)
    assert nothing.asked == []


# -- what has begun, and what has ended


def test_silent_is_what_is_queued_for_half_a_minute():
    now = datetime.now(UTC)
    known = {
        "long": SimpleNamespace(state="queued", queued_dttm=now - timedelta(seconds=31)),
        "short": SimpleNamespace(state="queued", queued_dttm=now - timedelta(seconds=29)),
        "begun": SimpleNamespace(state="running", queued_dttm=now - timedelta(seconds=99)),
        "odd": SimpleNamespace(state="queued", queued_dttm=None),
    }
    assert set(celery_executor._silent(known)) == {"long"}


def test_a_slot_is_free_again_though_the_word_of_the_end_was_lost(executor):
    states = {"a": "running", "b": "success", "c": "queued", "d": "up_for_retry"}
    known = {name: SimpleNamespace(state=state) for name, state in states.items()}
    executor.workloads = {key(name): SimpleNamespace(task_id=name) for name in "abcde"}
    executor.workloads["a callback"] = SimpleNamespace(task_id="f")
    executor.running = set(executor.workloads)
    executor._forget_ended(known)
    assert len(executor.running) == 6, "its word may be on its way"
    executor._forget_ended(known)
    assert executor.running == set(executor.workloads) == {key("a"), key("c"), "a callback"}


# -- a broker that is away


@pytest.mark.parametrize(
    "fault",
    [
        OperationalError("refused"),
        AirflowTaskTimeout("late"),
        ResponseError("MISCONF no space left"),
        OSError(113, "no route"),
    ],
)
def test_what_the_broker_did_not_take_waits_and_does_not_fail(executor, monkeypatch, fault):
    tried = []

    def refuse(_self, tuples):
        tried.extend(tuples)
        return [(one[0], one[1], ExceptionWithTraceback(fault, "")) for one in tuples]

    monkeypatch.setattr(theirs.CeleryExecutor, "_send_workloads_to_celery", refuse)
    executor.queued_tasks = {key(number): "workload" for number in range(3)}
    executor._send_workloads([(one, "workload", "default", None) for one in executor.queued_tasks])
    assert len(tried) == 1, "each try takes a second of the scheduler's"
    assert len(executor.queued_tasks) == 3
    assert executor.event_buffer == {}
    assert executor.running == set()


def test_what_is_wrong_with_a_task_itself_still_fails_it(executor, monkeypatch):
    def answer(_self, tuples):
        return [(one[0], one[1], ExceptionWithTraceback(ValueError("odd"), "")) for one in tuples]

    monkeypatch.setattr(theirs.CeleryExecutor, "_send_workloads_to_celery", answer)
    executor.queued_tasks = {key(0): "workload"}
    executor._send_workloads([(key(0), "workload", "default", None)])
    assert executor.event_buffer == {key(0): ("failed", None)}


def test_all_are_sent_where_the_broker_takes_the_first(executor, monkeypatch):
    parts = []

    def take(_self, tuples):
        parts.append(len(tuples))
        return [(one[0], one[1], SimpleNamespace(task_id=f"id {one[0].task_id}")) for one in tuples]

    monkeypatch.setattr(theirs.CeleryExecutor, "_send_workloads_to_celery", take)
    executor.queued_tasks = {key(number): "workload" for number in range(3)}
    executor._send_workloads([(one, "workload", "default", None) for one in list(executor.queued_tasks)])
    assert parts == [1, 2]
    assert executor.queued_tasks == {}
    assert executor.running == {key(0), key(1), key(2)}


def test_the_scheduler_goes_on_while_the_broker_is_away(executor, monkeypatch):
    def away(_self):
        raise RedisAway("nobody there")

    monkeypatch.setattr(theirs.CeleryExecutor, "sync", away)
    executor.running = {key(1)}
    executor.sync()
    assert executor.running == {key(1)}


def test_tasks_are_taken_over_though_the_broker_cannot_say_how_they_stand(executor, monkeypatch):
    def away(_self, _tis):
        raise RedisAway("nobody there")

    monkeypatch.setattr(theirs.CeleryExecutor, "try_adopt_task_instances", away)
    known = SimpleNamespace(key=key(1), external_executor_id="id 1")
    unknown = SimpleNamespace(key=key(2), external_executor_id=None)
    assert executor.try_adopt_task_instances([known, unknown]) == [unknown]
    assert executor.workloads[key(1)].task_id == "id 1"
    assert executor.running == {key(1)}


def test_a_message_that_ended_is_believed_and_a_task_without_one_begins_anew(executor, monkeypatch, tmp_path):
    """Why a restore forgets the messages of tasks under way: see airfoil.stack.backup.queued_tasks."""
    results = FilesystemBackend(f"file://{tmp_path}", app=executor.celery_app)
    monkeypatch.setattr(Celery, "backend", results)
    results.store_result("id 1", None, "SUCCESS")
    ended = SimpleNamespace(key=key(1), external_executor_id="id 1")
    restored = SimpleNamespace(key=key(2), external_executor_id=None)
    assert executor.try_adopt_task_instances([ended, restored]) == [restored]
    assert executor.get_event_buffer() == {key(1): ("success", None)}, (
        "with which Airflow fails a queued task"
    )
    assert executor.try_adopt_task_instances([restored]) == [restored]
