"""Runs: one for a key, whoever asks, whoever dies, whatever somebody deletes; each step interrupted anywhere."""

from dataclasses import replace

import httpx
import pytest
from tests.unit.clients.conversation import step_by_step

from airfoil.clients.claims import CANDIDATE_TAG, EXPERIMENT, Claims
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import (
    CLAIMS_TAG,
    ERROR_TAG,
    FINGERPRINT_TAG,
    GENERATION_TAG,
    KEY_TAG,
    OPEN,
    PARENT_TAG,
    SUPERSEDED_BY_TAG,
    SUPERSEDES_TAG,
    Attempt,
    Runs,
)
from airfoil.clients.tries import read_tries
from airfoil.errors import NotFoundError

pytestmark = pytest.mark.unit

KEY = RunKey("shop", "manual__it's 1", "train")
FIRST, SECOND = Attempt(1), Attempt(2)


@pytest.fixture
def runs(clock):
    return Runs(Claims(), clock)


@pytest.fixture
def parent(http, runs):
    return http.do(runs.parent(KEY, experiment="wine", tags={}))


def child(runs, parent, attempt=FIRST, fingerprint="f1", **more):
    return runs.child(KEY, parent, fingerprint=fingerprint, tags={"team": "ü"}, attempt=attempt, **more)


def kept(server, **tags):
    """The runs that are neither deleted nor part of the ledger."""
    ledger = server.experiments[EXPERIMENT]["experiment_id"] if EXPERIMENT in server.experiments else ""
    return [
        run
        for run in server.runs.values()
        if run["info"]["lifecycle_stage"] == "active"
        and run["info"]["experiment_id"] != ledger
        and all(run["tags"].get(key) == value for key, value in tags.items())
    ]


def delete(server, run_id):
    server.runs[run_id]["info"]["lifecycle_stage"] = "deleted"


def test_a_dag_run_has_one_run(server, http, runs, parent):
    again = http.do(Runs().parent(KEY, experiment="wine", tags={}))
    assert again.id == parent.id
    (run,) = kept(server)
    assert run["tags"]["airflow.run_id"] == "manual__it's 1"
    assert run["tags"][CLAIMS_TAG] in server.runs
    assert "airflow.task_id" not in run["tags"]


def test_a_task_that_names_another_experiment_gets_the_run_that_is_there(server, http, parent):
    assert http.do(Runs().parent(KEY, experiment="beer", tags={})).id == parent.id
    assert len(kept(server)) == 1


def test_a_closed_parent_is_opened_again(server, http, runs, parent):
    http.do(runs.finish(parent.id, "FAILED", {ERROR_TAG: "no luck"}))
    again = http.do(runs.parent(KEY, experiment="wine", tags={}))
    assert (again.id, again.status) == (parent.id, "RUNNING")
    assert server.runs[parent.id]["info"]["status"] == "RUNNING"
    assert server.runs[parent.id]["tags"][ERROR_TAG] == ""


def test_a_first_child_costs_six_requests_with_finding_its_parent(server, http, parent):
    fresh = Runs()
    server.calls.clear()
    found = http.do(fresh.parent(KEY, experiment="wine", tags={}))
    made = http.do(child(fresh, found))
    assert server.calls == [
        "mlflow/experiments/get-by-name",
        "mlflow/runs/search",
        "mlflow/runs/create",
        "mlflow/runs/log-parameter",
        "mlflow/runs/log-batch",
    ]
    run = server.runs[made.id]
    assert run["tags"] | {"airfoil.tries": ""} == {
        "mlflow.runName": "train",
        "airflow.dag_id": "shop",
        "airflow.run_id": "manual__it's 1",
        "airflow.task_id": "train",
        "airflow.map_index": "-1",
        "airflow.try_number": "1",
        "team": "ü",
        "airfoil.candidate": "won",
        KEY_TAG: KEY.digest,
        GENERATION_TAG: "0",
        FINGERPRINT_TAG: "f1",
        PARENT_TAG: parent.id,
        "airfoil.tries": "",
    }
    assert made.tags == run["tags"]


def test_closing_costs_two_requests(server, http, runs, parent):
    server.calls.clear()
    assert http.do(runs.finish(parent.id, "FINISHED", {"airfoil.reason": "done"}))
    assert server.calls == ["mlflow/runs/log-batch", "mlflow/runs/update"]
    assert server.runs[parent.id]["info"]["end_time"] == 1000500


def test_a_retry_continues_the_same_child(server, http, runs, parent):
    first = http.do(child(runs, parent))
    http.do(runs.finish(first.id, "FAILED", {ERROR_TAG: "ValueError: no"}))
    second = http.do(child(Runs(), parent, SECOND))
    assert second.id == first.id
    run = server.runs[first.id]
    assert run["info"]["status"] == "RUNNING"
    assert run["tags"][ERROR_TAG] == ""
    assert run["tags"]["airflow.try_number"] == "2"
    assert [one.number for one in read_tries(run["tags"]["airfoil.tries"])] == [1, 2]


def test_a_cached_id_is_believed_only_when_the_run_says_so(server, http, runs, parent):
    mine = http.do(child(runs, parent))
    server.calls.clear()
    assert http.do(child(runs, parent, SECOND, cached=mine.id)).id == mine.id
    assert "mlflow/runs/search" not in server.calls
    for wrong in (parent.id, "no such run", "'"):
        assert http.do(child(runs, parent, SECOND, cached=wrong)).id == mine.id


def test_places_of_a_mapped_task_have_a_child_each(server, http, runs, parent):
    keys = [replace(KEY, map_index=index) for index in (2, 0, 1)]
    ids = {key: http.do(runs.child(key, parent, fingerprint="", tags={}, attempt=FIRST)).id for key in keys}
    assert len(set(ids.values())) == 3
    for key in reversed(keys):
        assert http.do(Runs().child(key, parent, fingerprint="", tags={}, attempt=SECOND)).id == ids[key]


def test_a_changed_fingerprint_supersedes_both_ways(server, http, runs, parent):
    old = http.do(child(runs, parent))
    new = http.do(child(runs, parent, SECOND, fingerprint="f2"))
    assert new.id != old.id
    assert server.runs[old.id]["tags"][SUPERSEDED_BY_TAG] == new.id
    assert server.runs[new.id]["tags"][SUPERSEDES_TAG] == old.id
    assert server.runs[old.id]["info"]["status"] == "KILLED"
    assert kept(server, **{KEY_TAG: KEY.digest}) == [server.runs[new.id]]
    assert http.do(child(Runs(), parent, Attempt(3), fingerprint="f2")).id == new.id


def test_going_back_to_the_old_code_is_a_third_run(server, http, runs, parent):
    ids = [
        http.do(child(runs, parent, Attempt(number), fingerprint=text)).id
        for number, text in enumerate(("f1", "f2", "f1", "f1"), start=1)
    ]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 3
    assert len(kept(server, **{KEY_TAG: KEY.digest})) == 1


def test_a_finished_run_that_is_superseded_stays_finished(server, http, runs, parent):
    old = http.do(child(runs, parent))
    http.do(runs.finish(old.id, "FINISHED"))
    http.do(child(runs, parent, SECOND, fingerprint="f2"))
    assert server.runs[old.id]["info"]["status"] == "FINISHED"


@pytest.mark.parametrize("attempt", [FIRST, SECOND])
def test_a_child_that_a_person_deleted_is_superseded(server, http, runs, parent, attempt):
    ids = []
    for _ in range(3):
        ids.append(http.do(child(runs, parent, attempt)).id)
        delete(server, ids[-1])
    assert len(set(ids)) == 3
    last = http.do(child(Runs(), parent, attempt, cached=ids[-1]))
    assert last.tags[GENERATION_TAG] == "3"
    assert last.tags[SUPERSEDES_TAG] == ids[-1]


def test_a_parent_that_a_person_deleted_is_superseded(server, http, runs, parent):
    delete(server, parent.id)
    again = http.do(Runs().parent(KEY, experiment="wine", tags={}))
    assert again.id != parent.id
    assert http.do(Runs().find_parent(KEY)).id == again.id


def test_superseding_keeps_the_tags_and_the_open_try(server, http, runs, parent):
    http.do(child(runs, parent))
    old = http.do(child(runs, parent, SECOND))
    new = http.do(runs.supersede(KEY, old))
    tags = server.runs[new.id]["tags"]
    assert tags["team"] == "ü"
    assert tags[PARENT_TAG] == parent.id
    assert tags[FINGERPRINT_TAG] == "f1"
    assert [one.number for one in read_tries(tags["airfoil.tries"])] == [2]
    assert server.runs[old.id]["tags"][SUPERSEDED_BY_TAG] == new.id
    assert http.do(child(Runs(), parent, Attempt(3))).id == new.id


def test_a_ledger_that_is_gone_for_good_is_begun_again(server, http, parent):
    anchor = parent.tags[CLAIMS_TAG]
    for run_id in [key for key, run in server.runs.items() if "airfoil.anchor" in run["tags"]]:
        del server.runs[run_id]
    del server.experiments[EXPERIMENT]
    made = http.do(child(Runs(), parent))
    assert anchor not in server.runs
    assert http.do(child(Runs(), parent, SECOND)).id == made.id


# -- races and deaths


def beginning(runs, attempt=FIRST, fingerprint="f1"):
    """Everything a task does to get its run, from an empty server."""
    parent = yield from runs.parent(KEY, experiment="wine", tags={})
    return (yield from child(runs, parent, attempt, fingerprint))


def settled(server, count=1):
    """One run for the key, one for its parent, and nobody's candidate left alive."""
    tasks = kept(server, **{"airflow.task_id": "train", KEY_TAG: KEY.digest})
    assert len(tasks) == count
    assert len(kept(server, **{KEY_TAG: KEY.parent.digest})) == 1
    assert kept(server, **{CANDIDATE_TAG: OPEN}) == []


@pytest.mark.parametrize("fingerprint", ["f1", "f2"])
def test_two_who_begin_at_once_end_with_one_run(server, http, clock, fingerprint):
    """The second does everything between any two requests of the first."""
    total = len(list(step_by_step(http, beginning(Runs(clock=clock)), [])))
    for moment in range(total):
        server.forget()
        seen = []
        for number, _ in enumerate(step_by_step(http, beginning(Runs(clock=clock)), seen)):
            if number == moment:
                seen.append(http.do(beginning(Runs(clock=clock), SECOND, fingerprint)))
        settled(server)
        if fingerprint == "f1":
            assert seen[0].id == seen[1].id, moment


@pytest.mark.parametrize(("fingerprint", "attempt"), [("f1", FIRST), ("f1", SECOND), ("f2", SECOND)])
def test_the_next_goes_on_where_one_was_killed(server, http, clock, fingerprint, attempt):
    """Killed after any request: the next one ends with one run, and what is left over can be found."""
    total = len(list(step_by_step(http, beginning(Runs(clock=clock)), [])))
    for moment in range(total):
        server.forget()
        for number, _ in enumerate(step_by_step(http, beginning(Runs(clock=clock)), [])):
            if number == moment:
                break
        runs = Runs(clock=clock)
        made = http.do(beginning(runs, attempt, fingerprint))
        clock.wait(3600)
        for left in http.do(runs.abandoned_candidates(60)):
            http.do(runs.discard(left.id))
        settled(server)
        running = http.do(runs.running())
        assert {run.id for run in running} == {made.id, made.parent_id}
        assert http.do(beginning(Runs(clock=clock), SECOND, fingerprint)).id == made.id


def test_one_who_is_killed_while_superseding_leaves_nothing_running(server, http, clock):
    first = Runs(clock=clock)
    http.do(beginning(first))
    total = len(list(step_by_step(http, beginning(first, SECOND, "f2"), [])))
    for moment in range(total):
        server.forget()
        http.do(beginning(Runs(clock=clock)))
        for number, _ in enumerate(step_by_step(http, beginning(Runs(clock=clock), SECOND, "f2"), [])):
            if number == moment:
                break
        made = http.do(beginning(Runs(clock=clock), Attempt(3), "f2"))
        clock.wait(3600)
        for left in http.do(first.abandoned_candidates(60)):
            http.do(first.discard(left.id))
        settled(server)
        assert {run.id for run in http.do(first.running())} == {made.id, made.parent_id}


def test_a_claimant_whose_candidate_was_swept_away_stands_again(server, http, runs, parent):
    """It was paused for so long between its requests that it looked dead."""
    seen, swept = [], []
    for step in step_by_step(http, child(runs, parent), seen):
        if step.path.endswith("runs/create") and not swept:
            (left,) = swept = kept(server, **{CANDIDATE_TAG: OPEN})
            assert http.do(runs.discard(left["info"]["run_id"]))
    assert server.runs[seen[0].id]["info"]["lifecycle_stage"] == "active"
    settled(server)


def test_a_lost_answer_is_no_error(server, clock):
    """The request is sent again; what it had made is found as abandoned."""
    address = MlflowServer("http://mlflow.test:5000", tries=2)
    with MlflowHttp(address, pause=clock.wait, transport=httpx.MockTransport(server)) as http:
        runs = Runs(clock=clock)
        parent = http.do(runs.parent(KEY, experiment="wine", tags={}))
        for request in ("create", "log-parameter", "log-batch"):
            server.faults.lose_answer(f"mlflow/runs/{request}")
        made = http.do(child(runs, parent))
        clock.wait(3600)
        for left in http.do(runs.abandoned_candidates(60)):
            http.do(runs.discard(left.id))
        settled(server)
        assert {run.id for run in http.do(runs.running())} == {made.id, parent.id}


# -- what the reaper asks


def test_a_parent_is_found_wherever_it_is_and_nothing_is_made(server, http, runs):
    assert http.do(Runs().find_parent(KEY)) is None
    assert server.runs == {}
    made = http.do(runs.parent(KEY, experiment="anywhere", tags={}))
    assert http.do(Runs().find_parent(KEY)).id == made.id
    assert http.do(Runs().find_parent(RunKey("shop", "other"))) is None


def test_what_runs_is_listed_over_pages_and_experiments(server, http, runs, parent, monkeypatch):
    monkeypatch.setattr("airfoil.clients.runs.PAGE", 2)
    monkeypatch.setattr("airfoil.clients.runs.CHUNK", 1)
    made = {
        http.do(runs.child(replace(KEY, map_index=n), parent, fingerprint="", tags={})).id for n in range(5)
    }
    other = http.do(runs.parent(RunKey("beer", "1"), experiment="beer", tags={}))
    done = made.pop()
    http.do(runs.finish(done, "FINISHED"))
    assert {run.id for run in http.do(runs.running())} == made | {parent.id, other.id}
    assert {run.id for run in http.do(runs.running_children(parent.id))} == made


def test_only_old_candidates_are_abandoned(server, http, clock, runs, parent):
    for step in step_by_step(http, child(runs, parent), []):
        if step.path.endswith("runs/create"):
            break
    assert http.do(runs.abandoned_candidates(60)) == []
    clock.wait(61)
    (left,) = http.do(runs.abandoned_candidates(60))
    assert left.tags == {"airfoil.candidate": "open", "mlflow.runName": "train", **KEY.tags()}
    assert left.id in {run.id for run in http.do(runs.running())}, "it is found as its task's"
    assert http.do(runs.discard(left.id)) is True
    assert server.runs[left.id]["info"]["status"] == "KILLED"
    assert http.do(runs.discard(left.id)) is False


def test_a_run_that_is_gone_needs_no_closing(server, http, runs, parent):
    delete(server, parent.id)
    assert http.do(runs.finish(parent.id, "FAILED", {"a": "b"})) is False
    assert http.do(runs.finish("nobody", "FAILED")) is False
    with pytest.raises(NotFoundError):
        http.do(runs.get("nobody"))
