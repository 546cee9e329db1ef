from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from airfoil.provider.listeners.dag_runs import DagRunListener, is_scheduler

pytestmark = pytest.mark.unit


class Job:
    """What schedulers, triggerers and DAG processors announce."""


class TaskRunnerMarker:
    """What tasks announce."""


class Keeper:
    def __init__(self):
        self.told = []

    def settle_soon(self, *names):
        self.told.append(names)

    def begin(self):
        self.told.append("begin")

    def end(self):
        self.told.append("end")


@pytest.mark.parametrize(
    ("component", "argv", "expected"),
    [
        (Job(), ["/x/airflow", "scheduler"], True),
        (Job(), ["airflow", "scheduler", "--num-runs", "5"], True),
        (TaskRunnerMarker(), ["airflow", "scheduler"], False),
        (Job(), ["airflow", "triggerer"], False),
        (Job(), ["airflow", "dag-processor"], False),
        (Job(), ["airflow"], False),
        (Job(), [], False),
        (None, ["airflow", "scheduler"], False),
    ],
)
def test_a_scheduler_is_known_by_its_command_line(component, argv, expected):
    assert is_scheduler(component, argv) is expected


def test_it_begins_and_ends_with_the_scheduler(monkeypatch):
    monkeypatch.setattr("sys.argv", ["airflow", "scheduler"])
    keeper = Keeper()
    listener = DagRunListener(keeper)
    listener.on_starting(component=TaskRunnerMarker())
    listener.before_stopping(component=TaskRunnerMarker())
    assert keeper.told == []
    listener.on_starting(component=Job())
    listener.before_stopping(component=Job())
    assert keeper.told == ["begin", "end"]


def test_ends_of_dag_runs_are_told_and_nothing_else_is_asked():
    keeper = Keeper()
    listener = DagRunListener(keeper)
    run = SimpleNamespace(dag_id="d", run_id="r")  # anything else would be a question to the database
    listener.on_dag_run_success(dag_run=run, msg="")
    listener.on_dag_run_failed(dag_run=run, msg="")
    assert keeper.told == [("d", "r")] * 2


def test_a_broken_event_stays_with_us():
    class Detached:
        @property
        def dag_id(self):
            raise RuntimeError("the session is gone")

    keeper = Keeper()
    DagRunListener(keeper).on_dag_run_failed(dag_run=Detached(), msg="")
    assert keeper.told == []


def test_airflow_calls_it_through_its_own_listener_manager():
    from airflow.listeners.listener import ListenerManager
    from airflow.listeners.spec import dagrun

    keeper = Keeper()
    manager = ListenerManager()
    manager.add_hookspecs(dagrun)
    manager.add_listener(DagRunListener(keeper))
    taken = []
    for number in range(2000):
        began = time.perf_counter()
        manager.hook.on_dag_run_failed(dag_run=SimpleNamespace(dag_id="d", run_id=str(number)), msg="x")
        taken.append(time.perf_counter() - began)
    taken.sort()
    assert keeper.told[-1] == ("d", "1999")
    assert taken[1980] < 0.001, "the hundredth part may be the machine's"
