"""Which window a task works on: the same in every try, never of tomorrow, and in pieces without a gap."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.provider.feature_windows import moment, pieces_of, run_moment, window_of

pytestmark = pytest.mark.unit
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(days=7)
RUN = SimpleNamespace(run_after=NOON)


def window(last=None, start=None, end=None, **context):
    return window_of({"dag_run": RUN, **context}, last=last, start=start, end=end)


def test_a_run_stands_for_the_end_of_its_interval_its_date_or_when_it_was_due():
    assert run_moment({"dag_run": RUN}) == NOON
    assert run_moment({"dag_run": RUN, "logical_date": NOON - HOUR}) == NOON - HOUR
    context = {"dag_run": RUN, "logical_date": NOON - WEEK, "data_interval_end": NOON - 2 * HOUR}
    assert run_moment(context) == NOON - 2 * HOUR


def test_moments_of_airflow_become_plain_ones():
    """Pendulum's differences lack what whole microseconds are counted by."""
    import pendulum

    given = pendulum.datetime(2026, 1, 5, 13, 0, 0, 7, tz="Europe/Berlin")
    start, end = window(WEEK, data_interval_end=given)
    assert {type(start), type(end)} == {dt.datetime}
    assert end == NOON + dt.timedelta(microseconds=7)
    assert end.utcoffset() == dt.timedelta(0)


def test_the_last_days_end_at_the_run():
    assert window(WEEK) == (NOON - WEEK, NOON)
    assert window(WEEK, end="2026-01-03") == (moment("2025-12-27", ""), moment("2026-01-03", ""))


def test_dates_and_templates_are_moments():
    assert window(start="2026-01-01", end="2026-01-02 12:00:00+01:00") == (
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 2, 11, tzinfo=dt.UTC),
    )
    assert window(start=dt.datetime(2026, 1, 1))[0].tzinfo == dt.UTC  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "one of `last` and `start`"),
        ({"last": WEEK, "start": "2026-01-01"}, "one of `last` and `start`"),
        ({"start": "yesterday"}, "'yesterday' is no moment for 'start'"),
        ({"start": "2026-01-06"}, "is empty"),
        ({"last": dt.timedelta(0)}, "is empty"),
        ({"start": "2026-01-01", "end": "2999-01-01"}, "in the future"),
    ],
)
def test_what_is_no_window_is_refused(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        window(**wrong)


@given(hours=st.integers(1, 500), piece=st.integers(1, 600))
def test_pieces_are_the_whole_window_without_a_gap(hours, piece):
    pieces = pieces_of(NOON, NOON + hours * HOUR, piece * HOUR)
    assert pieces[0][0] == NOON
    assert pieces[-1][1] == NOON + hours * HOUR
    assert all(one[1] == two[0] for one, two in pairwise(pieces))
    assert all(dt.timedelta(0) < end - start <= piece * HOUR for start, end in pieces)


@pytest.mark.parametrize("piece", [dt.timedelta(0), -HOUR, dt.timedelta(seconds=1)])
def test_pieces_have_a_length_and_are_not_without_number(piece):
    with pytest.raises(ConfigurationError, match="cannot be cut into pieces"):
        pieces_of(NOON - WEEK, NOON, piece)
