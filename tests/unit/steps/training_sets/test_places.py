"""Entity rows in order, and the search among them."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.steps.training_sets.keys import NOBODY
from airfoil.steps.training_sets.places import Places

pytestmark = pytest.mark.unit
KEYS = 4
rows_of = st.lists(st.tuples(st.integers(NOBODY, KEYS - 1), st.integers(-5, 5)), max_size=40)


def arrays(rows):
    return np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], np.int64)


def places_of(rows):
    return Places.of(*arrays(rows), np.ones(len(rows), bool), KEYS)


@given(rows_of, rows_of)
def test_a_row_finds_the_first_place_of_its_key_that_is_not_before_it(entities, features):
    places = places_of(entities)
    sought = [row for row in features if row[0] != NOBODY]
    for (code, moment), found in zip(sought, places.find(*arrays(sought)), strict=True):
        of_key = sorted(one for key, one in entities if key == code)
        assert found == places.starts[code] + bisect_left(of_key, moment)


@given(rows_of)
def test_places_are_sorted_and_lead_back_to_their_rows(entities):
    places = places_of(entities)
    assert [entities[row] for row in places.rows] == sorted(row for row in entities if row[0] != NOBODY)
