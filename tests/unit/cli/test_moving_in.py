"""`airfoil import mlruns`: what is said, and what is refused before anything is asked."""

from __future__ import annotations

import contextlib

import pytest
from tests.mlruns_folder import write_mlruns

from airfoil.cli import models
from airfoil.clients.mlruns import moving_in
from airfoil.clients.mlruns.moving_in import MovedIn

pytestmark = pytest.mark.unit


@pytest.fixture
def asked(monkeypatch):
    """What the import was told; it answers with numbers."""
    seen = {}

    def move_in(_http, _ledger, store, **given):
        seen.update(given, root=store.root)
        given["progress"](100, "wines")
        return MovedIn(3, 1, 2, ["wine@champion is version 3"], [f"note {number}" for number in range(30)])

    @contextlib.contextmanager
    def registry(_):
        yield None, None

    monkeypatch.setattr(moving_in, "move_in", move_in)
    monkeypatch.setattr(models, "registry", registry)
    return seen


def test_it_says_what_came_and_what_did_not(airfoil, project, asked, tmp_path):
    root = write_mlruns(tmp_path / "mlruns").root
    done = airfoil("import", "mlruns", str(root))
    assert done.code == 0, done.err
    assert "3 runs brought, 1 were there already; 2 model versions." in done.out
    assert "wine@champion is version 3" in done.out
    assert "100 runs (wines)" in done.out
    assert "and 10 more" in done.err
    assert (asked["root"], asked["only_runs"]) == (root, False)


def test_scripts_get_everything(airfoil, project, asked, tmp_path):
    root = write_mlruns(tmp_path / "mlruns").root
    done = airfoil("import", "mlruns", str(root), "--only-runs", "--json").json()
    assert (done["runs"], done["runs_there"], done["versions"], len(done["notes"])) == (3, 1, 2, 30)
    assert asked["only_runs"]


def test_a_folder_of_something_else_is_refused(airfoil, project, asked, tmp_path):
    done = airfoil("import", "mlruns", str(tmp_path))
    assert done.code == 1
    assert "is no folder of MLflow runs" in done.err
    assert asked == {}
