"""Tries: who began when, and which points of a curve still count."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.tries import (
    ABANDONED,
    MAX_CHARACTERS,
    MetricPoint,
    Try,
    begin_try,
    end_try,
    mark_points,
    read_tries,
    step_to_resume_from,
    write_tries,
)

pytestmark = pytest.mark.unit

NUMBERS = st.integers(min_value=0, max_value=10**15)
TRIES = st.lists(
    st.builds(Try, NUMBERS, NUMBERS, NUMBERS | st.none(), st.text(max_size=10), NUMBERS | st.none()),
    max_size=9,
)


def curve(*points):
    """Points as (step, time in ms)."""
    return [MetricPoint(step, 0.5, stamp) for step, stamp in points]


@given(TRIES)
def test_what_was_written_is_read(tries):
    assert read_tries(write_tries(tries)) == tuple(tries)


@given(st.text() | st.none() | st.recursive(st.integers() | st.none(), st.lists).map(json.dumps))
def test_garbage_says_nothing(text):
    assert read_tries(text) == ()


def test_the_tag_says_what_people_want_to_know():
    written = write_tries(end_try(begin_try((), 1, 1000), 3500, "FAILED", 7))
    assert json.loads(written) == [
        {"try": 1, "started_ms": 1000, "ended_ms": 3500, "outcome": "FAILED", "last_step": 7}
    ]


def test_too_many_tries_leave_the_oldest_out():
    tries = [Try(number, number) for number in range(500)]
    written = write_tries(tries)
    assert len(written) <= MAX_CHARACTERS
    assert read_tries(written)[-1] == tries[-1]


def test_a_try_that_never_ended_is_abandoned_by_the_next():
    tries = begin_try(begin_try((), 1, 1000), 2, 2000)
    assert [one.outcome for one in tries] == [ABANDONED, ""]


def test_a_deferred_try_goes_on():
    tries = begin_try((), 1, 1000)
    assert begin_try(tries, 1, 2000, resuming=True) == tries
    assert len(begin_try(tries, 1, 2000)) == 2


@given(TRIES, NUMBERS, NUMBERS)
def test_a_later_try_never_begins_before_an_earlier_one_ended(tries, now_ms, newest_ms):
    """Clocks of workers differ."""
    *before, last = begin_try(tries, 1, now_ms, after_ms=newest_ms)
    assert last.started_ms > newest_ms
    assert all(last.started_ms > (one.ended_ms or one.started_ms) for one in before)


def test_ending_nothing_is_nothing():
    assert end_try((), 5, "FINISHED", 1) == ()


def test_a_try_that_began_again_abandons_the_points_it_goes_over():
    tries = (Try(1, 100, None, ABANDONED), Try(2, 200))
    marked = mark_points(curve((0, 110), (1, 120), (2, 130), (1, 210), (2, 220)), tries)
    assert [(one.step, one.try_number, one.abandoned) for one in marked] == [
        (0, 1, False),
        (1, 1, True),
        (2, 1, True),
        (1, 2, False),
        (2, 2, False),
    ]


def test_a_try_that_took_up_the_work_abandons_nothing():
    tries = (Try(1, 100, None, ABANDONED), Try(2, 200))
    marked = mark_points(curve((0, 110), (1, 120), (2, 210)), tries)
    assert not any(one.abandoned for one in marked)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 300))), TRIES)
def test_the_points_that_count_rise_from_try_to_try(points, tries):
    """What is left is one curve: no try that counts is gone over by a later one."""
    ordered = sorted(tries, key=lambda one: one.started_ms)
    starts = [one.started_ms for one in ordered]
    marked = mark_points(curve(*points), ordered)
    assert len(marked) == len(points)
    alive = [
        (sum(start <= one.timestamp_ms for start in starts), one.step) for one in marked if not one.abandoned
    ]
    for owner, step in alive:
        assert all(step < later for other, later in alive if other > owner)


def test_work_goes_on_after_the_last_point_that_counts():
    tries = (Try(1, 100, None, ABANDONED), Try(2, 200))
    assert step_to_resume_from(curve((0, 110), (7, 120)), tries) == 7
    assert step_to_resume_from(curve((0, 110), (7, 120), (3, 210)), tries) == 3
    assert step_to_resume_from([], tries) is None


def test_a_task_that_finished_and_was_cleared_begins_anew():
    tries = (Try(1, 100, 150, "FINISHED"), Try(2, 200, None, ABANDONED), Try(3, 300))
    assert step_to_resume_from(curve((0, 110), (7, 120)), tries) is None
    assert step_to_resume_from(curve((0, 110), (7, 120), (2, 210)), tries) == 2
