"""The features are plain functions; so are their tests."""

import pytest
from NAME.features import moving_average


def test_each_value_is_averaged_with_those_before_it():
    assert moving_average([2.0, 4.0, 9.0], window=2) == [2.0, 3.0, 6.5]


def test_a_window_of_one_changes_nothing():
    assert moving_average([2.0, 4.0], window=1) == [2.0, 4.0]


def test_nothing_has_no_average():
    assert moving_average([], window=3) == []


def test_a_window_without_values_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        moving_average([1.0], window=0)
