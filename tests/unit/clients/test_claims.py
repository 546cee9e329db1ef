"""Claims: one value in a cell, one anchor for a name, one root on a server; races, and losers who clean up."""

import pytest
from tests.unit.clients.conversation import step_by_step

from airfoil.clients import claims as module
from airfoil.clients.claims import ANCHOR_TAG, CANDIDATE_TAG, EXPERIMENT, ROOT, Claims, claim_cell
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def test_the_first_value_stays(server, http):
    assert http.do(Claims().claim("wine's", "a", "1")) == "1"
    assert http.do(Claims().claim("wine's", "a", "2")) == "1"
    assert http.do(Claims().claim("wine's", "b", "2")) == "2"
    assert http.do(Claims().cells("wine's")) == {"a": "1", "b": "2"}


def test_an_anchor_is_found_again_and_costs_one_request_when_known(server, http):
    first, second = Claims(), Claims()
    anchor = http.do(first.anchor_id("wine"))
    assert http.do(second.anchor_id("wine")) == anchor
    assert http.do(second.anchor_id("beer")) != anchor
    server.calls.clear()
    http.do(first.claim("wine", "a", "1"))
    assert server.calls == ["mlflow/runs/log-parameter"]


def test_the_runs_that_hold_cells_are_never_running(server, http):
    http.do(Claims().anchor_id("wine"))
    assert {run["info"]["status"] for run in server.runs.values()} == {"FINISHED"}
    assert [run["tags"].get(CANDIDATE_TAG) for run in server.runs.values()] == [None, None]


@pytest.mark.parametrize("name", [ROOT, "wine"])
def test_two_who_begin_at_once_end_with_one_anchor(server, http, name):
    """The second does everything between any two requests of the first."""
    total = len(list(step_by_step(http, Claims().anchor_id(name), [])))
    for moment in range(total):
        server.forget()
        seen = []
        for number, _ in enumerate(step_by_step(http, (mine := Claims()).anchor_id(name), seen)):
            if number == moment:
                seen.append(http.do(Claims().anchor_id(name)))
        assert len(set(seen)) == 1, moment
        assert http.do(mine.anchor_id(name)) == seen[0]
        alive = [run for run in server.runs.values() if run["info"].get("lifecycle_stage") != "deleted"]
        named = [run for run in alive if run["info"]["experiment_id"] == server.experiment_id(EXPERIMENT)]
        assert len(named) == (1 if name == ROOT else 2)
        assert all(ANCHOR_TAG in run["tags"] for run in named)


def test_a_failure_that_is_no_race_is_told(server, http):
    with pytest.raises(ConfigurationError):
        http.do(claim_cell("nobody", "a", "1"))


def test_a_deleted_history_is_taken_out_of_the_bin(server, http):
    root = http.do(Claims().anchor_id(ROOT))
    server.experiments[EXPERIMENT]["lifecycle_stage"] = "deleted"
    assert http.do(Claims().anchor_id(ROOT)) == root
    assert server.experiments[EXPERIMENT]["lifecycle_stage"] == "active"


@pytest.mark.parametrize("knows", [True, False])
def test_a_deleted_anchor_is_taken_out_of_the_bin(server, http, knows):
    """By somebody who has used it before, and by somebody who looks for it."""
    claims = Claims()
    assert http.do(claims.claim("wine", "a", "1")) == "1"
    anchor = http.do(claims.anchor_id("wine"))
    server.runs[anchor]["info"]["lifecycle_stage"] = "deleted"
    asking = claims if knows else Claims()
    assert http.do(asking.claim("wine", "a", "2")) == "1"
    assert http.do(asking.claim("wine", "b", "2")) == "2"
    assert http.do(Claims().cells("wine")) == {"a": "1", "b": "2"}


def test_a_deleted_root_is_taken_out_of_the_bin(server, http):
    root = http.do(Claims().anchor_id(ROOT))
    server.runs[root]["info"]["lifecycle_stage"] = "deleted"
    http.do(Claims().claim("wine", "a", "1"))
    assert http.do(Claims().anchor_id(ROOT)) == root


def test_looking_makes_nothing(server, http):
    assert http.do(Claims().find("wine")) is None
    assert EXPERIMENT not in server.experiments
    http.do(Claims().claim("beer", "a", "1"))
    assert http.do(Claims().find("wine")) is None
    assert http.do(Claims().find("beer")) == http.do(Claims().anchor_id("beer"))


def test_an_anchor_whose_winner_died_is_finished_by_the_next(server, http):
    """The claim stands, the tag does not: the next one who asks gets that run, and says so."""
    anchor = http.do(Claims().anchor_id("wine"))
    tags = server.runs[anchor]["tags"]
    cell = tags.pop(ANCHOR_TAG)
    tags[CANDIDATE_TAG] = cell
    assert http.do(Claims().anchor_id("wine")) == anchor
    assert tags.get(ANCHOR_TAG) == cell
    assert CANDIDATE_TAG not in tags


def test_a_stranger_with_our_name_is_told_apart(server, http):
    http.post("api/2.0/mlflow/experiments/create", {"name": EXPERIMENT})
    with pytest.raises(ConfigurationError, match="no root run"):
        http.do(Claims().anchor_id(ROOT))


def test_a_digest_tells_parts_apart():
    assert module.digest("a", "bc") != module.digest("ab", "c")
    assert len(module.digest("ü" * 9000)) == 32
