"""The order of starting and stopping: waves, circles, unknown names."""

import itertools

import pytest

from airfoil.errors import InternalError
from airfoil.stack.plan import stop_order, waves

pytestmark = pytest.mark.unit

TABLE = {
    "setup": ("preload",),
    "preload": (),
    "api-server": ("setup",),
    "scheduler": ("setup",),
    "page": (),
}


def test_each_wave_needs_only_earlier_ones_and_keeps_the_order_of_the_table():
    assert waves(TABLE) == [["preload", "page"], ["setup"], ["api-server", "scheduler"]]


def test_stopping_is_starting_backwards():
    assert stop_order(TABLE) == [["api-server", "scheduler"], ["setup"], ["preload", "page"]]


def test_no_services_need_no_waves():
    assert waves({}) == []
    assert stop_order({}) == []


def test_whatever_the_order_of_the_table_needs_come_first():
    for shuffled in itertools.permutations(TABLE.items()):
        placed: set[str] = set()
        for wave in waves(dict(shuffled)):
            for name in wave:
                assert set(TABLE[name]) <= placed
            placed.update(wave)
        assert placed == set(TABLE)


def test_a_need_that_is_in_no_table_is_named():
    with pytest.raises(InternalError, match="service 'a' needs 'ghost', which is not in the table"):
        waves({"a": ("ghost",)})


@pytest.mark.parametrize(
    ("needs", "stuck"),
    [
        ({"a": ("a",)}, "a"),
        ({"a": ("b",), "b": ("a",)}, "a, b"),
        ({"a": (), "b": ("c", "a"), "c": ("d",), "d": ("b",)}, "b, c, d"),
    ],
)
def test_a_circle_is_an_error_that_names_its_members_not_an_endless_loop(needs, stuck):
    with pytest.raises(InternalError, match=f"services need each other in a circle: {stuck}$"):
        waves(needs)


def test_a_need_named_twice_is_one_need():
    assert waves({"a": (), "b": ("a", "a")}) == [["a"], ["b"]]
