"""The injected run: batches, tries, closing; a run that cannot take what is logged is superseded with all of it."""

import httpx
import pytest

from airfoil.clients import task_run as module
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import SUPERSEDED_BY_TAG, Attempt
from airfoil.clients.tries import read_tries
from airfoil.errors import (
    ConfigurationError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)
from airfoil.records import ModelRef
from airfoil.steps.charts import draw_confusion

pytestmark = pytest.mark.unit

KEY = RunKey("shop", "manual__1", "train")
BATCH = "mlflow/runs/log-batch"


@pytest.fixture
def opened(tracking, server):
    """Opens the run for a try, and forgets the requests that took."""

    made = []

    def open_run(number=1, *, resuming=False, **more):
        run = tracking.open_task(KEY, experiment="wine", attempt=Attempt(number, resuming), **more)
        server.calls.clear()
        made.append(run)
        return run

    yield open_run
    for run in made:
        run._files.close()


@pytest.fixture
def run(opened):
    return opened()


def save(estimator, folder, *, identity, **_):
    """As `save_model`, without scikit-learn."""
    folder.mkdir()
    (folder / "MLmodel").write_text(f"{estimator} {identity.model_id} {identity.run_id}")


def delete(server, run_id):
    server.runs[run_id]["info"]["lifecycle_stage"] = "deleted"


# -- buffering and closing


def test_everything_small_travels_with_the_end(server, run):
    run.log_params({"trees": 50, "depth": None})
    run.log_metrics({"accuracy": 0.5}, step=3)
    run.set_tags({"team": "ü"})
    assert server.calls == []
    run.close()
    assert server.calls == [BATCH, "mlflow/runs/update"]
    kept = server.runs[run.id]
    assert kept["params"] == {"trees": "50", "depth": "None"}
    assert kept["metrics"] == [{"key": "accuracy", "value": 0.5, "timestamp": 1000500, "step": 3}]
    assert kept["tags"]["team"] == "ü"
    assert kept["info"]["status"] == "FINISHED"
    (only,) = read_tries(kept["tags"]["airfoil.tries"])
    assert (only.number, only.outcome, only.last_step, only.ended_ms) == (1, "FINISHED", 3, 1000500)


def test_rows_are_sent_when_there_are_many(server, run):
    for step in range(999):
        run.log_metrics({"loss": 1.0}, step=step)
    assert server.calls == []
    run.log_metrics({"loss": 1.0}, step=999)
    assert server.calls == [BATCH]
    assert len(server.runs[run.id]["metrics"]) == 1000


def test_rows_are_sent_when_they_are_old(server, run, clock):
    run.log_metrics({"loss": 1.0}, step=0)
    clock.wait(1.9)
    run.log_metrics({"loss": 1.0}, step=1)
    assert server.calls == []
    clock.wait(0.2)
    run.log_metrics({"loss": 1.0}, step=2)
    assert server.calls == [BATCH]
    run.log_metrics({"loss": 1.0}, step=3)
    assert server.calls == [BATCH]


def test_many_values_at_once_are_cut_into_requests(server, run):
    run.log_params({f"p{number}": number for number in range(101)})
    run.log_metrics({f"m{number}": number for number in range(2000)})
    run.flush()
    assert len(server.runs[run.id]["params"]) == 101
    assert len(server.runs[run.id]["metrics"]) == 2000


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("no luck\nat all"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_the_outcome_of_a_block_closes_the_run(server, run, error, status):
    """A stop from outside is not a failure of the body."""
    with pytest.raises(type(error)), run:
        run.log_metrics({"loss": 1.0}, step=4)
        raise error
    kept = server.runs[run.id]
    assert kept["info"]["status"] == status
    assert kept["tags"]["airfoil.error"] == (
        "ValueError: no luck at all" if status == "FAILED" else "KeyboardInterrupt"
    )
    assert read_tries(kept["tags"]["airfoil.tries"])[-1].outcome == status
    assert len(kept["metrics"]) == 1


def test_a_run_is_closed_once(server, run, clock):
    clock.wait(2.5)
    with run:
        run.close("KILLED", reason="nothing to do", tags={"host": "h1"})
    assert server.runs[run.id]["info"]["status"] == "KILLED"
    tags = server.runs[run.id]["tags"]
    assert (tags["airfoil.reason"], tags["host"]) == ("nothing to do", "h1")
    assert tags["airfoil.duration_seconds"] == "2.500"


def test_the_error_of_the_body_is_kept_when_the_run_cannot_be_closed(server, run):
    def body():
        with run:
            server.fail["mlflow/runs/update"] = httpx.Response(500, text="gone")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        body()
    assert "could not be closed as FAILED" in caught.value.__notes__[0]


@pytest.mark.parametrize("name", ["a@b", "", "/loss", "x" * 251])
def test_a_name_that_mlflow_refuses_is_named_before_anything_is_sent(server, run, name):
    for log in (run.log_metrics, run.log_params, run.set_tags):
        with pytest.raises(ConfigurationError):
            log({"good": 1, name: 2})
    run.flush()
    assert server.calls == []


# -- a server that is away


def test_rows_wait_for_a_server_that_is_away(server, run, clock):
    server.fail[BATCH] = httpx.Response(500, text="restarting")
    for step in range(2500):
        clock.wait(0.01)
        run.log_metrics({"loss": 1.0}, step=step)
    assert server.calls.count(BATCH) <= 5
    server.fail.clear()
    run.close()
    assert len(server.runs[run.id]["metrics"]) == 2500


def test_closing_waits_for_a_server_that_is_away(server, run, clock, monkeypatch):
    run.log_metrics({"loss": 1.0})
    server.fail[BATCH] = httpx.Response(500, text="restarting")
    monkeypatch.setattr(run, "_pause", lambda _: (clock.now > 1030 and server.fail.clear()) or clock.wait(1))
    run.close()
    assert server.runs[run.id]["info"]["status"] == "FINISHED"
    assert len(server.runs[run.id]["metrics"]) == 1


@pytest.mark.parametrize(("status", "patience"), [("FINISHED", 60), ("FAILED", 10)])
def test_patience_ends(server, run, clock, status, patience):
    before = clock.now
    server.faults.away = True
    with pytest.raises(ServiceUnreachableError):
        run.close(status)
    assert patience <= clock.now - before <= patience + 2


def test_too_many_waiting_rows_are_an_error(server, run, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING_ROWS", 1500)
    server.fail[BATCH] = httpx.Response(500, text="away")
    run.log_metrics({f"m{number}": 0 for number in range(1000)})
    run._due_at = 0
    with pytest.raises(module.NeighbourError):
        run.log_metrics({f"m{number}": 0 for number in range(1000)})


def test_a_wrong_password_does_not_wait(server, run, clock):
    server.fail[BATCH] = httpx.Response(401, text="who are you")
    with pytest.raises(ServiceRefusedError):
        run.log_metrics({f"m{number}": 0 for number in range(1000)})
    before = clock.now
    with pytest.raises(ServiceRefusedError):
        run.flush()
    assert clock.now == before


def test_a_missing_file_does_not_wait(run, clock, tmp_path):
    before = clock.now
    with pytest.raises(StorageError):
        run.log_artifact(tmp_path / "nothing")
    assert clock.now == before


# -- files, data, models


def test_files_are_stored_at_once(server, run, tmp_path):
    (tmp_path / "rows.csv").write_text("1")
    run.log_figure(draw_confusion([[1]], ["only"]), "charts/confusion.png")
    run.log_text("# ü", "notes.md")
    run.log_json({"a": 1}, "report.json")
    run.log_artifact(str(tmp_path / "rows.csv"), "data/rows.csv")
    root = f"{run.experiment_id}/{run.id}/artifacts"
    assert server.artifacts[f"{root}/charts/confusion.png"].startswith(b"\x89PNG")
    assert server.artifacts[f"{root}/notes.md"].decode() == "# ü"
    assert b'"a": 1' in server.artifacts[f"{root}/report.json"]
    assert server.artifacts[f"{root}/data/rows.csv"] == b"1"


def test_a_model_is_logged_and_linked(server, run, monkeypatch):
    monkeypatch.setattr(module, "save_model", save)
    model = run.log_model("forest", name="wine", example=None)
    (number,) = server.models
    assert model == ModelRef(name="wine", uri=f"models:/{number}", run_id=run.id)
    path = f"{run.experiment_id}/models/{number}/artifacts/MLmodel"
    assert server.artifacts[path].decode() == f"forest {number} {run.id}"
    assert server.runs[run.id]["models"] == [number]


# -- tries


def test_a_killed_try_leaves_the_step_to_go_on_from(run, opened, clock):
    assert run.last_step("loss") is None
    for step in range(5):
        run.log_metrics({"loss": 1.0}, step=step)
    assert run.last_step("loss") == 4
    run.flush()
    clock.wait(60)
    again = opened(2)
    assert again.id == run.id
    assert again.last_step("loss") == 4
    assert again.last_step("accuracy") is None
    again.log_metrics({"loss": 0.5}, step=2)
    history = again.metric_history("loss")
    assert [(one.step, one.try_number, one.abandoned) for one in history] == [
        (0, 1, False),
        (1, 1, False),
        (2, 1, True),
        (3, 1, True),
        (4, 1, True),
        (2, 2, False),
    ]


def test_a_deferred_task_goes_on_in_the_same_try(server, run, opened, clock):
    with run:
        run.log_metrics({"loss": 1.0}, step=1)
        run.leave_open()
    assert server.runs[run.id]["info"]["status"] == "RUNNING"
    clock.wait(60)
    with opened(1, resuming=True) as again:
        again.log_metrics({"loss": 0.5}, step=2)
    (only,) = read_tries(server.runs[run.id]["tags"]["airfoil.tries"])
    assert (only.started_ms, only.ended_ms, only.last_step) == (1000500, 1060500, 2)


def test_a_finished_task_that_is_cleared_begins_anew(run, opened, clock):
    run.log_metrics({"loss": 1.0}, step=9)
    run.close()
    clock.wait(60)
    assert opened(2).last_step("loss") is None


def test_a_worker_whose_clock_is_behind_writes_after_the_last_try(run, opened, clock):
    run.log_metrics({"loss": 1.0}, step=9)
    run.flush()
    clock.now -= 500
    again = opened(2)
    again.log_metrics({"loss": 1.0}, step=3)
    assert [one.try_number for one in again.metric_history("loss")] == [1, 2]


# -- a run that cannot take it


def test_a_changed_parameter_gives_a_new_run_with_all_that_this_try_has_logged(
    server, run, opened, clock, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "save_model", save)
    run.log_params({"trees": 5, "depth": 2})
    run.log_metrics({"loss": 9.0}, step=0)
    run.close()
    clock.wait(60)

    told = []
    again = opened(2, on_superseded=told.append)
    old = again.id
    (tmp_path / "rows.csv").write_text("1")
    again.log_params({"depth": 2})
    again.log_metrics({"loss": 1.0, "bad": float("nan")}, step=1)
    again.set_tags({"mine": "1"})
    again.log_text("note", "notes.md")
    again.log_artifact(tmp_path / "rows.csv")
    again.log_dataset("wine", "s3://lake/wine")
    again.log_model("forest", name="wine", example=None)
    again.flush()
    again.log_metrics({"loss": 0.5}, step=2)
    again.log_params({"trees": 6})

    assert again.id != old
    assert told == [again.info]
    again.close()
    new, before = server.runs[again.id], server.runs[old]
    assert new["params"] == {"trees": "6", "depth": "2"}
    assert [(row["key"], row["step"]) for row in new["metrics"]] == [("bad", 1), ("loss", 1), ("loss", 2)]
    assert new["metrics"][0]["value"] == "NaN"
    assert new["tags"]["mine"] == "1"
    assert new["datasets"][0]["dataset"]["name"] == "wine"
    assert new["models"] == list(server.models)
    assert server.artifacts[f"{again.experiment_id}/{again.id}/artifacts/notes.md"] == b"note"
    assert server.artifacts[f"{again.experiment_id}/{again.id}/artifacts/rows.csv"] == b"1"
    assert [one.outcome for one in read_tries(new["tags"]["airfoil.tries"])] == ["FINISHED"]
    assert new["info"]["status"] == "FINISHED"
    assert before["tags"][SUPERSEDED_BY_TAG] == again.id
    assert before["params"] == {"trees": "5", "depth": "2"}
    assert before["info"]["status"] == "KILLED"
    assert opened(3).id == again.id


def test_a_conflict_that_only_the_server_sees_supersedes_too(server, run):
    """Somebody else writes into the run (autologging, say)."""
    old = run.id
    run.log_params({"trees": 5})
    server.runs[old]["params"]["trees"] = "7"
    run.log_metrics({"loss": 1.0})
    run.close()
    assert run.id != old
    assert server.runs[run.id]["params"] == {"trees": "5"}
    assert len(server.runs[run.id]["metrics"]) == 1


@pytest.mark.parametrize("moment", ["flush", "inputs", "close"])
def test_a_run_that_a_person_deleted_meanwhile_is_superseded(server, run, moment):
    run.log_params({"trees": 5})
    run.log_metrics({"loss": 1.0})
    run.flush()
    old = run.id
    if moment == "close":
        server.faults.meanwhile("mlflow/runs/update", lambda: delete(server, old))
    else:
        delete(server, old)
    if moment == "inputs":
        run.log_dataset("wine", "s3://lake/wine")
        assert len(server.runs[run.id]["datasets"]) == 1
    run.log_metrics({"loss": 0.5}, step=1)
    run.close()
    assert run.id != old
    kept = server.runs[run.id]
    assert kept["info"]["status"] == "FINISHED"
    assert kept["params"] == {"trees": "5"}
    assert [row["step"] for row in kept["metrics"]] == [0, 1]


def test_one_try_that_says_two_things_is_told_so(server, run):
    run.log_params({"trees": 5})
    with pytest.raises(ConfigurationError, match="'trees' is logged twice"):
        run.log_params({"trees": 6})
    run.log_params({"trees": 5})


def test_a_refusal_for_another_reason_is_told(server, run):
    server.fail[BATCH] = httpx.Response(400, json={"message": "I do not like it"})
    run.log_metrics({"loss": 1.0})
    with pytest.raises(ConfigurationError, match="do not like it"):
        run.flush()


def test_a_run_into_which_somebody_keeps_writing_is_an_error_in_the_end(server, run):
    def write():
        for kept in server.runs.values():
            kept["params"]["trees"] = "7"
        server.faults.meanwhile(BATCH, write)

    run.log_params({"trees": 5})
    write()
    with pytest.raises(ConfigurationError, match="Changing param"):
        run.flush()
