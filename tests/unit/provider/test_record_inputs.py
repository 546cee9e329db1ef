"""Arguments that are records, or the JSON of one, or garbage."""

from __future__ import annotations

import json

import pytest

from airfoil.errors import ConfigurationError
from airfoil.provider.record_inputs import comparison, model_ref, plain, record
from airfoil.records import Comparison, ModelRef, Scores

pytestmark = pytest.mark.unit
SCORES = Scores(values={"accuracy": 0.5}, rows=3)
MODEL = ModelRef(name="wine", uri="models:/m-1", run_id="r")


@pytest.mark.parametrize("value", [MODEL, MODEL.to_json(), json.dumps(MODEL.to_json())])
def test_a_record_comes_as_itself_as_json_or_as_text(value):
    assert model_ref(value) == MODEL


@pytest.mark.parametrize("value", [None, 1, "", "{", "[]", "models:/m-1", [], {}, {"uri": 1}, SCORES])
def test_anything_else_is_refused_by_the_argument_s_name(value):
    with pytest.raises(ConfigurationError, match="'candidate' should be ModelRef"):
        record(ModelRef, value, "candidate")


def test_scores_alone_are_a_comparison_with_nobody():
    assert comparison(SCORES.to_json()) == Comparison(scores=SCORES)
    both = Comparison(scores=SCORES, champion=SCORES)
    assert comparison(both) is both
    assert comparison(both.to_json()) == both


def test_records_become_json_and_the_rest_stays():
    assert plain([SCORES, "a", 1]) == [SCORES.to_json(), "a", 1]
    assert plain("text") == "text"
    assert plain(None) is None
