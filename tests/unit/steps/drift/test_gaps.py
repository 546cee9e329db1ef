from __future__ import annotations

import numpy as np
import pytest

from airfoil.steps.drift.gaps import Tally

pytestmark = pytest.mark.unit


def counts(*numbers):
    return np.array(numbers, dtype=np.int64)


def test_the_largest_gap_is_found_with_what_lies_below():
    tally = Tally.of_all(counts(5, 0, 5), counts(0, 4, 6))
    gap = tally.largest()
    assert (gap.reference, gap.current, gap.cell) == (5, 0, 0)
    assert gap.statistic == 0.5
    assert gap.size == 50


def test_only_cells_with_both_sides_can_hide_a_larger_gap():
    tally = Tally.of_all(counts(5, 0, 50), counts(5, 9, 41))
    best = tally.largest()
    assert tally.undecided(best).tolist() == [False, False, True]
    assert tally.undecided(best, counts(0, 0, 1).astype(bool)).tolist() == [False, False, False]
    assert tally.held(tally.undecided(best)) == 91


def test_pieces_continue_from_what_lies_below_their_cell():
    tally = Tally.of_all(counts(10, 10, 10), counts(10, 10, 10))
    wanted = np.array([True, False, True])
    pieces = tally.finer(wanted, np.array([0, 0, 2, 2]), counts(10, 0, 0, 10), counts(0, 10, 10, 0))
    assert pieces.reference_below.tolist() == [0, 10, 20, 20]
    assert pieces.current_below.tolist() == [0, 0, 20, 30]
    assert pieces.largest().statistic == pytest.approx(1 / 3)


def test_pieces_that_were_never_counted_say_nothing():
    tally = Tally.of_all(counts(10, 10), counts(10, 10))
    pieces = tally.finer(np.array([False, True]), np.array([0, 1]), counts(0, 10), counts(0, 10))
    assert pieces.largest().size == 0


def test_counts_whose_product_does_not_fit_into_64_bits_are_still_exact():
    many = 3 * 10**9
    tally = Tally.of_all(counts(many, many), counts(many - 1, many + 1))
    assert tally.largest().size == 2 * many
