"""Making the next item meanwhile."""

from __future__ import annotations

import threading

import pytest

from airfoil.steps.training_sets.ahead import ahead

pytestmark = pytest.mark.unit


def test_the_next_item_is_made_while_one_is_worked_with():
    made = threading.Event()

    def items():
        yield 1
        made.set()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    assert made.wait(60), "nobody has asked for the second one yet"
    assert list(coming) == [2]


def test_what_fails_is_raised_in_its_turn():
    def items():
        yield 1
        raise ValueError("damaged")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(coming)


def test_who_stops_leaves_no_thread_behind():
    coming = ahead(iter(range(10)))
    assert next(coming) == 0
    coming.close()
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_nothing_is_nothing():
    assert list(ahead(iter([]))) == []
