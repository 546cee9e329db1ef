"""What MLflow says about a run, also when it says little or somebody has written over our tags."""

import pytest

from airfoil.clients.run_info import GENERATION_TAG, PARENT_TAG, RunInfo, set_tags, tag_rows

pytestmark = pytest.mark.unit

LITTLE = {"info": {"run_id": "r", "experiment_id": 3}}


def test_a_run_of_few_words_is_understood():
    run = RunInfo.read(LITTLE)
    assert (run.id, run.experiment_id, run.status, run.deleted) == ("r", "3", "RUNNING", False)
    assert (run.tags, run.params, run.latest_point_ms, run.generation, run.parent_id) == ({}, {}, 0, 0, "")


def test_everything_is_read():
    data = {
        "tags": [{"key": PARENT_TAG, "value": "p"}, {"key": GENERATION_TAG, "value": "2"}, {"key": "empty"}],
        "params": [{"key": "trees", "value": "5"}],
        "metrics": [{"key": "a", "timestamp": 7}, {"key": "b", "timestamp": "9"}, {"key": "c"}],
    }
    run = RunInfo.read(
        {"info": LITTLE["info"] | {"lifecycle_stage": "deleted", "start_time": 4}, "data": data}
    )
    assert (run.parent_id, run.generation, run.latest_point_ms, run.started_ms) == ("p", 2, 9, 4)
    assert run.deleted
    assert run.params == {"trees": "5"}
    assert run.tags["empty"] == ""


@pytest.mark.parametrize("text", ["", "two", "-1", "1.5"])
def test_a_generation_that_somebody_has_written_over_is_the_first(text):
    assert RunInfo("r", "3", "", tags={GENERATION_TAG: text}).generation == 0


def test_tags_are_set_in_one_request_and_fit():
    request = next(set_tags("r", {"a": "x" * 9000}))
    assert request.body["tags"] == tag_rows({"a": "x" * 8000})
