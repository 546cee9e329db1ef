from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from airfoil.clients.run_keys import RunKey
from airfoil.provider import airflow_states
from airfoil.provider.airflow_states import own_names, process_lives, read_facts
from airfoil.provider.orphans import DagRunFacts, TaskFacts

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = socket.gethostname()


class Session:
    """Answers selects with rows, by the table they ask; keeps what was asked."""

    def __init__(self, dag_runs=(), tasks=()):
        self.rows = {"dag_run": dag_runs, "task_instance": tasks}
        self.asked = []
        self.ended = 0

    def __call__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended += 1

    def execute(self, statement):
        (table,) = statement.get_final_froms()
        self.asked.append(table.name)
        return self.rows[table.name]

    def rollback(self):
        self.asked.append("rollback")


def task_row(**given):
    row = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "state": "failed", "try_number": 2}
    row |= {"pid": None, "hostname": "", "start_date": None, "end_date": NOW - timedelta(seconds=5)}
    return SimpleNamespace(**row | given)


def test_no_key_asks_nothing():
    session = Session()
    assert read_facts([], session=session).dag_runs == {}
    assert (session.asked, session.ended) == ([], 0)


def test_what_airflow_says_is_read_in_two_questions():
    dag_run = SimpleNamespace(dag_id="d", run_id="r", state="failed", clear_number=1)
    session = Session([dag_run], [task_row()])
    facts = read_facts(
        [RunKey("d", "r"), RunKey("d", "r", "t"), RunKey("d", "r", "u", 3)], session=session, now=lambda: NOW
    )
    assert facts.dag_runs == {RunKey("d", "r"): DagRunFacts("failed", was_cleared=True)}
    assert facts.tasks == {RunKey("d", "r", "t"): TaskFacts("failed", 2, None, 5.0)}
    assert session.asked == ["dag_run", "task_instance", "rollback"]
    assert session.ended == 1


def test_many_keys_are_asked_for_in_portions():
    session = Session()
    read_facts([RunKey("d", f"r{number}", "t") for number in range(250)], session=session)
    assert session.asked == ["dag_run"] * 3 + ["task_instance"] * 3 + ["rollback"]


def test_a_task_without_a_state_has_none():
    session = Session([], [task_row(state=None, try_number=None, end_date=None)])
    facts = read_facts([RunKey("d", "r", "t")], session=session)
    assert facts.tasks[RunKey("d", "r", "t")] == TaskFacts(None, 0, None, None)


def test_our_own_process_lives():
    assert process_lives(os.getpid(), HERE, datetime.now(UTC)) is True
    assert process_lives(os.getpid(), HERE, None) is True


def test_a_process_that_began_long_after_the_task_is_another():
    assert process_lives(os.getpid(), HERE, datetime(2020, 1, 1, tzinfo=UTC)) is False


def test_a_dead_process_is_known_to_be_dead_even_before_it_is_collected():
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_lives(process.pid, HERE, None) is False
    process.wait()
    assert process_lives(process.pid, HERE, None) is False


@pytest.mark.parametrize(("pid", "host"), [(None, HERE), (0, HERE), (1, ""), (1, None), (1, "elsewhere")])
def test_of_other_machines_nothing_is_known(pid, host):
    assert process_lives(pid, host, None) is None


def test_what_may_not_be_looked_at_is_not_known(monkeypatch):
    import psutil

    def refuse(pid):
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(airflow_states.psutil, "Process", refuse)
    assert process_lives(1, HERE, None) is None


def test_our_names_hold_the_one_that_airflow_writes_down():
    from airflow.utils.net import get_hostname

    assert get_hostname() in own_names()
