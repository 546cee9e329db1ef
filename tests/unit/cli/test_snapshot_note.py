"""What `up` says about a snapshot."""

import pytest

from airfoil.cli import snapshot_note
from airfoil.stack import snapshots
from airfoil.stack.project import Project
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    made.state.mkdir()
    return made


def test_nothing_is_said_when_nothing_was_copied(project, capsys):
    snapshot_note.tell(project, snapshot_note.newest(project))
    made = snapshots.make(project, {}, {}, Versions())
    assert snapshot_note.newest(project) == made
    snapshot_note.tell(project, made)
    assert capsys.readouterr() == ("", "")


def test_a_new_snapshot_is_said_with_the_way_back_and_what_it_lacks(project, capsys, monkeypatch):
    monkeypatch.setattr(snapshots, "dump_server", lambda *_: "`pg_dump` is not installed.")
    before = snapshot_note.newest(project)
    made = snapshots.make(project, {}, {"MLflow": "postgresql://m:pw@db/m"}, Versions(airflow="3.3.1"))
    snapshot_note.tell(project, before)
    said = capsys.readouterr()
    assert said.out == ""
    assert str(made.folder) in said.err
    assert f"sh '{made.restore}'" in said.err
    assert (
        "MLflow's database postgresql://m:***@db/m is not in the snapshot. `pg_dump` is not installed."
        in said.err
    )
