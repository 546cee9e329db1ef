"""The newest row for each place, found row by row: ties, and letting go of what was replaced."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from airfoil.steps.training_sets.candidates import Candidates
from airfoil.steps.training_sets.newest_rows import NewestRows
from airfoil.steps.training_sets.places import Places

pytestmark = pytest.mark.unit
KEYS = 4


def arrays(rows):
    return np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], np.int64)


def places_of(rows):
    return Places.of(*arrays(rows), np.ones(len(rows), bool), KEYS)


def test_what_was_replaced_is_let_go():
    places = places_of([(0, 5), (1, 5)])
    newest = NewestRows(places)
    for moment in range(1000):
        codes, moments = np.zeros(1, np.int32), np.array([moment % 6], np.int64)
        features = pl.DataFrame({"number": [moment]})
        newest.offer(Candidates.of(places, codes, moments, None, np.ones(1, bool), features))
        assert newest._kept_rows <= 5
    chosen, frame = newest.chosen(2, None)
    assert list(chosen) == [0, -1]
    assert frame["number"].to_list() == [995], "the last of the newest"


def test_nothing_offered_is_nothing_chosen():
    chosen, frame = NewestRows(places_of([(0, 5)])).chosen(1, None)
    assert list(chosen) == [-1]
    assert frame.is_empty()
