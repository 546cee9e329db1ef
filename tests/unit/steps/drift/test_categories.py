from __future__ import annotations

import pyarrow as pa
import pytest

from airfoil.steps.drift.categories import Tallying, is_category

pytestmark = pytest.mark.unit


def test_values_are_counted_on_both_sides_the_most_frequent_first():
    tallying = Tallying()
    tallying.take(0, pa.array(["a", "b", None, "b"]))
    tallying.take(0, pa.array(["b"]))
    tallying.take(1, pa.array(["c", "a"]).dictionary_encode())
    assert tallying.table() == [("b", 3, 0), ("a", 1, 1), ("c", 0, 1)]
    assert (tallying.rows, tallying.missing) == ([5, 2], [1, 0])
    assert tallying.different(0) == 2


def test_a_null_inside_a_dictionary_is_missing():
    tallying = Tallying()
    tallying.take(0, pa.DictionaryArray.from_arrays(pa.array([0, 1, 1]), pa.array(["a", None])))
    assert tallying.missing[0] == 2
    assert tallying.table() == [("a", 1, 0)]


def test_too_many_values_are_no_categories_and_no_longer_kept():
    tallying = Tallying(most=2)
    tallying.take(1, pa.array(["a", "b"]))
    assert not tallying.has_too_many
    tallying.take(1, pa.array(["c"]))
    tallying.take(1, pa.array(["d", None]))
    assert tallying.has_too_many
    assert tallying.table() == []
    assert (tallying.rows[1], tallying.missing[1]) == (5, 1)


def test_truth_values_have_names():
    tallying = Tallying()
    tallying.take(0, pa.array([True, False, True]))
    assert tallying.table() == [("true", 2, 0), ("false", 1, 0)]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (pa.string(), pa.large_string(), True),
        (pa.dictionary(pa.int8(), pa.string()), pa.string_view(), True),
        (pa.bool_(), pa.bool_(), True),
        (pa.null(), pa.string(), True),
        (pa.bool_(), pa.string(), False),
        (pa.binary(), pa.binary(), False),
        (pa.int8(), pa.string(), False),
        (pa.null(), pa.null(), False),
    ],
)
def test_text_and_truth_values_are_categories(left, right, expected):
    assert is_category(left, right) is expected
