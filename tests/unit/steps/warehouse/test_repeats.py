"""Repeats and strays, counted in groups."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.contract import ForeignKey
from airfoil.steps.warehouse.repeats import find_repeats, find_strays

pytestmark = pytest.mark.unit


def test_rows_that_lack_a_value_are_not_compared_by_it(duck):
    table = duck(pa.table({"a": [1, 1, None, None, 2], "b": ["x", "x", "x", "x", None]}))
    by_a = find_repeats(table, ["a"], examples=5)
    assert (by_a.checked, by_a.failed, by_a.examples) == (3, 1, ({"times": 2, "a": 1},))
    whole = find_repeats(table, ["a", "b"], examples=5, only_whole=False)
    assert (whole.checked, whole.failed) == (5, 2)
    assert find_repeats(table, ["a"], examples=0).examples == ()


def test_an_empty_table_repeats_nothing(duck):
    empty = duck(pa.table({"a": pa.array([], pa.int64())}))
    assert find_repeats(empty, ["a"], examples=5).checked == 0


def test_strays_by_a_key_of_two_columns_with_other_names(duck):
    orders = duck(pa.table({"shop": [1, 1, 2, None], "city": ["x", "y", "x", "x"]}))
    shops = duck(pa.table({"no": [1, 1, 2], "place": ["x", "x", "z"]}), "shops")
    key = ForeignKey(columns=("shop", "city"), table="shops", references=("no", "place"))
    found = find_strays(orders, shops, key, 5)
    assert (found.checked, found.failed) == (3, 2)
    assert found.examples == ({"times": 1, "shop": 1, "city": "y"}, {"times": 1, "shop": 2, "city": "x"})
    with pytest.raises(ConfigurationError, match="no column 'nr'"):
        find_strays(orders, shops, ForeignKey(columns=("shop",), table="shops", references=("nr",)), 5)


def test_nan_repeats_nan_and_zero_its_negative(duck):
    table = duck(pa.table({"a": [math.nan, math.nan, 0.0, -0.0, None, None]}))
    found = find_repeats(table, ["a"], examples=0)
    assert (found.checked, found.failed) == (4, 2)


def test_a_key_of_another_kind_is_said(duck):
    orders = duck(pa.table({"shop": [1]}))
    shops = duck(pa.table({"shop": ["1"], "no": [1.0]}), "shops")
    with pytest.raises(ConfigurationError, match="'shop' holds int64, and 'shop' of shops"):
        find_strays(orders, shops, ForeignKey(columns=("shop",), table="shops"), 5)
    assert (
        find_strays(orders, shops, ForeignKey(columns=("shop",), table="shops", references=("no",)), 5).failed
        == 0
    )
