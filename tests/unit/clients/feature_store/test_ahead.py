from __future__ import annotations

import threading

import pytest

from airfoil.clients.feature_store.ahead import ahead

pytestmark = pytest.mark.unit


def test_items_come_in_order():
    assert list(ahead(number for number in range(100))) == list(range(100))


def test_an_error_appears_where_its_item_would_have_been():
    def items():
        yield 1
        raise ValueError("the second")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)


def test_never_more_than_the_depth_is_made_ahead():
    made, is_full = [], threading.Event()

    def items():
        for number in range(10):
            made.append(number)
            if number == 3:  # one taken, two waiting, one in the hand
                is_full.set()
            yield number

    found = ahead(items(), depth=2)
    assert next(found) == 0
    assert is_full.wait(10)
    assert len(made) <= 4
    assert list(found) == list(range(1, 10))


def test_the_thread_ends_when_nobody_asks_any_more():
    is_closed = threading.Event()

    def items():
        number = 0
        try:
            while True:
                yield number
                number += 1
        finally:
            is_closed.set()

    found = ahead(items())
    next(found)
    found.close()
    assert is_closed.is_set()
    assert not [one for one in threading.enumerate() if one.name == "airfoil-ahead"]
