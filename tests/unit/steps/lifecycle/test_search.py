"""Candidates are different models, the one that was asked for is among them, and the best is found."""

from __future__ import annotations

import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.lifecycle.search import SPACES, Candidate, choose_best, draw_candidates
from airfoil.steps.model_zoo import ZOO, plan_model

pytestmark = pytest.mark.unit


def test_every_model_type_has_a_space_whose_every_corner_is_allowed():
    assert set(SPACES) == set(ZOO)
    for kind, space in SPACES.items():
        for name, values in space.items():
            for value in values:
                plan_model(kind, {name: value})


@pytest.mark.parametrize("kind", sorted(ZOO))
def test_what_was_asked_for_comes_first_and_no_model_twice(kind):
    drawn = draw_candidates(kind, {}, 5)
    assert drawn[0] == Candidate()
    plans = [plan_model(kind, one.parameters) for one in drawn]
    assert len({str(one) for one in plans}) == len(plans) == 6
    assert draw_candidates(kind, {}, 5) == drawn
    assert draw_candidates(kind, {}, 5, seed=8) != drawn


def test_no_search_is_one_candidate_and_a_small_space_ends():
    assert draw_candidates("knn", {"neighbours": 4}, 0) == [Candidate(parameters={"neighbours": 4})]
    assert len(draw_candidates("logistic_regression", {}, 50)) == 8


def test_the_best_is_chosen_and_of_equals_the_first():
    one, two, three = (
        Candidate(parameters={"neighbours": n}, accuracy=a) for n, a in ((1, 0.8), (3, 0.9), (5, 0.9))
    )
    assert choose_best([one, two, three]) == two
    assert choose_best([Candidate()]) == Candidate()
    with pytest.raises(ConfigurationError, match="No candidate was measured"):
        choose_best([])
