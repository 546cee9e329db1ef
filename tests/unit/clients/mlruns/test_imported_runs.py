"""A run of a file store on a server: whole, once, and begun anew when it was cut off."""

from __future__ import annotations

import pytest
from tests.mlruns_folder import CHILD, STALE, write_mlruns

from airfoil.clients.exchange import API
from airfoil.clients.mlruns.file_store import FileStore
from airfoil.clients.mlruns.imported_runs import OLD_ID_TAG, WHOLE_TAG, RunImport
from airfoil.errors import NeighbourError

pytestmark = pytest.mark.unit


@pytest.fixture
def stored(tmp_path):
    store = FileStore(write_mlruns(tmp_path / "mlruns").root)
    runs = {run.id: run for run in store.runs()}
    return runs, list(store.logged_models().values())


def seen(http, run_id):
    return http.get(f"{API}/runs/get", run_id=run_id)["run"]


def test_everything_of_a_run_is_there(http, server, stored):
    runs, logged = stored
    brought = RunImport(http).bring(runs[CHILD], logged)
    assert brought.is_new
    run = seen(http, brought.info.id)
    assert (run["info"]["status"], int(run["info"]["start_time"]), int(run["info"]["end_time"])) == (
        *("FAILED", 1000, 2000),
    )
    assert run["data"]["params"] == [{"key": "model/depth", "value": "3"}]
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert tags[OLD_ID_TAG] == CHILD
    assert "mlflow.parentRunId" not in tags, "its parent was not brought"
    history = http.get(f"{API}/metrics/get-history", run_id=brought.info.id, metric_key="loss")["metrics"]
    assert [str(one["value"]) for one in history] == ["0.5", "NaN"]
    assert {one["path"] for one in http.get(f"{API}/artifacts/list", run_id=brought.info.id)["files"]} == {
        *("chart.txt", "forest"),
    }


def test_a_second_time_finds_it(http, stored):
    runs, logged = stored
    first = RunImport(http).bring(runs[CHILD], logged)
    again = RunImport(http).bring(runs[CHILD], logged)
    assert (again.info.id, again.is_new) == (first.info.id, False)


def test_one_that_was_cut_off_is_begun_anew(http, stored, monkeypatch):
    runs, _ = stored
    monkeypatch.setattr(RunImport, "_end", lambda *_: (_ for _ in ()).throw(NeighbourError("gone")))
    with pytest.raises(NeighbourError):
        RunImport(http).bring(runs[CHILD], [])
    monkeypatch.undo()
    brought = RunImport(http).bring(runs[CHILD], [])
    assert brought.is_new
    assert WHOLE_TAG in {one["key"] for one in seen(http, brought.info.id)["data"]["tags"]}
    found = http.post(f"{API}/runs/search", {"experiment_ids": [brought.info.experiment_id]})["runs"]
    assert [one["info"]["run_id"] for one in found] == [brought.info.id]


def test_a_run_that_never_ended_is_killed(http, stored):
    runs, _ = stored
    brought = RunImport(http).bring(runs[STALE], [])
    assert seen(http, brought.info.id)["info"]["status"] == "KILLED"
