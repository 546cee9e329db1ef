"""Ids of the fake: repeatable, and without an order that code could lean on."""

from __future__ import annotations

import re

import pytest

from airfoil.clients.testing.state import World, rows_of, without_empty

pytestmark = pytest.mark.unit


def test_the_same_seed_gives_the_same_ids_and_another_others():
    worlds = [World(lambda: 0, seed) for seed in (1, 1, 2)]
    first, second, other = ([world.hex_id() for _ in range(20)] for world in worlds)
    assert first == second != other
    assert first != sorted(first)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in first)
    assert len(worlds[0].dashed_id()) == 36


def test_time_comes_from_the_clock():
    assert World(lambda: 1.5, 0).now_ms() == 1500


def test_lists_with_nothing_in_them_are_left_out():
    assert without_empty({"a": [], "b": None, "c": "", "d": 0}) == {"c": "", "d": 0}
    assert rows_of({"a": "1"}) == [{"key": "a", "value": "1"}]
