"""A whole file store: parents first, damage told, twice as good as once."""

from __future__ import annotations

import pytest
from tests.mlruns_folder import CHILD, PARENT, STALE, write_mlruns

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlruns.file_store import FileStore
from airfoil.clients.mlruns.moving_in import in_order, move_in
from airfoil.clients.model_registry import model, models

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    return write_mlruns(tmp_path / "mlruns")


def bring(http, folder, **options):
    return move_in(http, Ledger(Claims()), FileStore(folder.root), who="anne", **options)


def test_everything_comes_once(http, folder):
    done = bring(http, folder)
    assert (done.runs, done.runs_there, done.versions) == (3, 0, 3)
    assert set(done.aliases) == {
        *("wine@best is version 1", "wine@champion is version 3", "wine@staging is version 4"),
    }
    assert http.do(model("wine")).aliases == {"best": 1, "champion": 3, "staging": 4}
    again = bring(http, folder)
    assert (again.runs, again.runs_there, again.versions) == (0, 3, 3)


def test_a_child_is_below_its_parent_on_the_server(http, folder):
    bring(http, folder)
    experiment = http.get(f"{API}/experiments/get-by-name", experiment_name="wines")["experiment"][
        "experiment_id"
    ]
    rows = http.post(f"{API}/runs/search", {"experiment_ids": [experiment]})["runs"]
    tags = {row["info"]["run_id"]: {one["key"]: one["value"] for one in row["data"]["tags"]} for row in rows}
    old = {found["airfoil.imported_run"]: run_id for run_id, found in tags.items()}
    assert tags[old[CHILD]]["mlflow.parentRunId"] == old[PARENT]


def test_runs_alone_leave_the_registry_as_it_is(http, folder):
    assert bring(http, folder, only_runs=True).versions == 0
    assert http.do(models()) == []


def test_a_damaged_run_is_told_and_keeps_nothing_back(http, folder):
    folder.text(f"7/{STALE}/metrics/loss", "not a number\n")
    done = bring(http, folder)
    assert done.runs == 2
    assert any(f"Run {STALE} of wines is left out" in note for note in done.notes)


def test_parents_come_first_and_a_circle_ends(folder):
    folder.text(f"7/{PARENT}/tags/mlflow.parentRunId", CHILD)
    given = [run.id for run, _ in in_order(list(FileStore(folder.root).runs()))]
    assert sorted(given) == [PARENT, CHILD, STALE]
