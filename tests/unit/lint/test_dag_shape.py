"""Schedules, start dates, and what a DAG says of itself."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit
TOP = "from airflow.sdk import DAG\nfrom datetime import datetime\nimport pendulum\n"
DONE = 'tags=["t"], description="d", default_args={"owner": "o"}'


@pytest.mark.parametrize(
    "schedule",
    ["'@daily'", "'0 2 * * *'", "'0 2 * * 1-5 2026'", "None", "timedelta(1)", "[asset]", "NAME", "f'{x}'"],
)
def test_what_may_be_a_schedule_passes(codes, schedule):
    assert codes(f"{TOP}DAG('x', schedule={schedule}, deadline=d, {DONE})\n") == []


@pytest.mark.parametrize("schedule", ["'@dayly'", "'daily'", "'* * *'", "''"])
def test_what_cannot_be_a_schedule_is_told(codes, schedule):
    assert codes(f"{TOP}DAG('x', schedule={schedule}, {DONE})\n") == [(4, "AF303")]


@pytest.mark.parametrize(
    "date",
    ["datetime.now()", "datetime.today()", "pendulum.now('UTC').subtract(days=1)", "pendulum.yesterday()"],
)
def test_a_start_date_that_moves_is_told(codes, date):
    assert codes(f"{TOP}DAG('x', schedule=None, start_date={date}, {DONE})\n") == [(4, "AF207")]
    assert codes(f"{TOP}START = {date}\nDAG('x', schedule=None, start_date=START, {DONE})\n") == [
        (5, "AF207")
    ]


@pytest.mark.parametrize("date", ["datetime(2026, 1, 1)", "pendulum.datetime(2026, 1, 1, tz='UTC')", "START"])
def test_a_fixed_start_date_passes(codes, date):
    assert codes(f"{TOP}DAG('x', schedule=None, start_date={date}, {DONE})\n") == []


def test_a_start_date_in_default_args_is_one(codes):
    text = f"{TOP}DAG('x', catchup=True, tags=['t'], description='d', default_args={{'owner': 'o', 'start_date': 1}})\n"
    assert codes(text) == []


def test_what_cannot_be_known_is_not_told(codes):
    assert (
        codes(
            f"{TOP}DAG('x', **common)\nDAG('y', tags=['t'], description='d', catchup=True, default_args=common)\n"
        )
        == []
    )


def test_empty_is_missing_and_an_owner_of_a_task_is_one(codes):
    text = f"{TOP}DAG('x', tags=[], description='')\nOp(owner='me')\n"
    assert codes(text) == [(4, "AF305"), (4, "AF306")]


@pytest.mark.parametrize(
    "schedule",
    ["'@daily'", "'0 2 * * *'", "timedelta(1)", "CronTriggerTimetable('0 2 * * *')", "X if X else None", "X"],
)
def test_what_runs_by_the_clock_needs_a_deadline(codes, schedule):
    text = (
        f"{TOP}from airflow.sdk import CronTriggerTimetable\nfrom datetime import timedelta\nX = '@daily'\n"
    )
    assert codes(f"{text}DAG('x', schedule={schedule}, {DONE})\n") == [(7, "AF309")]
    for given in ("deadline=within(minutes=5)", "dagrun_timeout=timedelta(hours=1)"):
        assert codes(f"{text}DAG('x', schedule={schedule}, {given}, {DONE})\n") == []
    assert codes(f"{text}DAG('x', schedule={schedule}, deadline=None, {DONE})\n") == [(7, "AF309")]


@pytest.mark.parametrize(
    "schedule", ["None", "'@once'", "'@continuous'", "[asset]", "asset | other", "NAME", "f'{x}'", "made()"]
)
def test_what_runs_on_assets_once_or_by_hand_needs_none(codes, schedule):
    assert codes(f"{TOP}DAG('x', schedule={schedule}, {DONE})\n") == []


def test_a_start_date_of_something_else_may_move(codes):
    assert codes(f"{TOP}book(start_date=datetime.now())\nx = {{'start_date': datetime.now()}}\n") == []
    text = f"{TOP}DAG('x', tags=['t'], description='d', default_args={{'owner': 'o', 'start_date': datetime.now()}})\n"
    assert codes(text) == [(4, "AF207")]
