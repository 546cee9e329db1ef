"""Which rows of a batch belong to a place, and to which."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from airfoil.steps.training_sets.candidates import Candidates
from airfoil.steps.training_sets.keys import NOBODY
from airfoil.steps.training_sets.places import Places

pytestmark = pytest.mark.unit

PLACES = Places.of(np.array([0, 0, 1], np.int32), np.array([5, 9, 5]), np.ones(3, bool), 2)
CODES = np.array([NOBODY, 0, 0, 1, 0, 1], np.int32)
MOMENTS = np.array([1, 6, 10, 5, 2, 1])
KNOWN = np.array([True, True, True, True, True, False])
FEATURES = pl.DataFrame({"number": range(6)})


def test_rows_without_a_key_a_moment_or_a_later_entity_are_left_out():
    found = Candidates.of(PLACES, CODES, MOMENTS, MOMENTS + 100, KNOWN, FEATURES)
    assert found.rows.tolist() == [1, 3, 4]
    assert found.places.tolist() == [1, 2, 0]
    assert found.moments.tolist() == [6, 5, 2]
    assert found.created.tolist() == [106, 105, 102]
    assert found.features.height == 6
    assert not found.are_late


def test_a_row_that_was_written_late_belongs_to_a_later_place():
    found = Candidates.of(PLACES, CODES, MOMENTS, None, KNOWN, FEATURES, known_from=MOMENTS + 4)
    assert found.rows.tolist() == [4]
    assert found.places.tolist() == [1]
    assert found.moments.tolist() == [2]
    assert found.created is None
    assert found.are_late
