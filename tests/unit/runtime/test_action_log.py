"""The log of people's actions: the same rows, committed beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from airfoil.runtime import action_log

pytestmark = pytest.mark.unit


class Session:
    def __init__(self):
        self.rows, self.committed_in = [], []

    def add_all(self, rows):
        self.rows += rows

    def commit(self):
        self.committed_in.append(threading.get_ident())


def as_airflow(event=None):
    async def log_action(request, session, user):
        if request == "dry run":
            return
        log = (event, request, user)
        session.add(log)
        session.commit()

    return log_action


def test_the_row_is_committed_in_another_thread():
    session = Session()
    asyncio.run(action_log.patient(as_airflow)("trigger")("request", session, "ann"))
    assert session.rows == [("trigger", "request", "ann")]
    assert len(session.committed_in) == 1
    assert threading.get_ident() not in session.committed_in


def test_what_is_not_logged_commits_nothing():
    session = Session()
    asyncio.run(action_log.patient(as_airflow)()("dry run", session, "ann"))
    assert session.committed_in == []


def test_fastapi_sees_what_it_sees_in_the_installed_airflow(monkeypatch):
    from airflow.api_fastapi.logging import decorators
    from fastapi.dependencies.utils import get_dependant

    theirs = decorators.action_logging
    monkeypatch.setattr(decorators, "action_logging", theirs)
    assert action_log.commit_in_a_thread()
    assert decorators.action_logging is not theirs
    seen = [get_dependant(path="/", call=make("x")) for make in (theirs, decorators.action_logging)]
    assert seen[0].request_param_name == seen[1].request_param_name == "request"
    names = [[one.name for one in found.dependencies] for found in seen]
    assert names[0] == names[1] == ["session", "user"]


def test_another_airflow_is_left_alone(monkeypatch):
    from airflow.api_fastapi.logging import decorators

    async def log_action(request, session): ...

    another = lambda event=None: log_action  # noqa: E731 - as short as what it stands for
    monkeypatch.setattr(decorators, "action_logging", another)
    assert not action_log.commit_in_a_thread()
    assert decorators.action_logging is another
