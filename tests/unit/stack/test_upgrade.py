"""What `up` does about other versions: refuse, copy first, or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, MlflowSettings
from airfoil.stack import snapshots, upgrade, versions
from airfoil.stack.project import Project
from airfoil.stack.versions import Schema, Versions

pytestmark = pytest.mark.unit

HERE = Versions("0.1.0", "3.3.2", "3.17.2")
SCHEMA = Schema(frozenset({"aaa", "bbb"}), frozenset({"bbb"}))


def make(path: Path, revision: str = "bbb") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table alembic_version (version_num text)")
        database.execute("insert into alembic_version values (?)", (revision,))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    made = Project(tmp_path / "Läden 100%")
    made.state.mkdir(parents=True)
    monkeypatch.setattr(versions, "installed", lambda: HERE)
    monkeypatch.setattr(versions, "schema_of", lambda _: SCHEMA)
    return made


@pytest.fixture
def full(project) -> Project:
    """One that these versions ran."""
    make(project.airflow_database)
    make(project.mlflow_database)
    versions.remember(project, HERE)
    return project


def refusal(project: Project, settings: Settings | None = None) -> ConfigurationError:
    before = {path: path.read_bytes() for path in project.state.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError) as said:
        upgrade.refuse_newer_state(project, settings or Settings())
    after = {path: path.read_bytes() for path in project.state.rglob("*") if path.is_file()}
    assert {path: text for path, text in after.items() if path in before} == before
    return said.value


# -- refusing


def test_the_same_and_older_versions_are_let_through(full):
    older = Versions("0.0.9", "3.3.1", "3.17.1")
    upgrade.refuse_newer_state(full, Settings())
    versions.remember(full, older)
    upgrade.refuse_newer_state(full, Settings())
    assert versions.last_run(full) == older, "looking is not remembering"


def test_newer_state_is_refused_with_the_exact_line_that_installs_its_writer(full):
    versions.remember(full, Versions("0.2.0", "3.4.0", "3.17.2"))
    said = refusal(full)
    assert said.message == (
        "This project was last run by Airfoil 0.2.0 and Airflow 3.4.0, and Airfoil 0.1.0 and Airflow 3.3.2 must not "
        "touch what that has written."
    )
    assert said.next_move == (
        "Install what wrote it: "
        "`uv pip install 'airfoil[stack]==0.2.0' 'apache-airflow-core==3.4.0' 'mlflow==3.17.2'`."
    )


def test_the_line_names_the_drivers_that_the_settings_need(full):
    versions.remember(full, replace(HERE, airflow="3.4.0"))
    settings = Settings(
        airflow=AirflowSettings(database="postgresql://u:pw@db/a"),
        mlflow=MlflowSettings(artifacts="s3://bucket/x"),
    )
    assert "'airfoil[stack,postgres,s3]==0.1.0'" in refusal(full, settings).next_move


def test_the_snapshot_that_leads_back_is_named(full):
    older = Versions("0.1.0", "3.3.1", "3.17.2")
    made = snapshots.make(full, {"airflow.db": full.airflow_database}, {}, older)
    snapshots.make(full, {}, {}, replace(HERE, airflow="3.3.9"))
    versions.remember(full, replace(HERE, airflow="3.4.0"))
    assert f"`sh '{made.folder / 'restore.sh'}'`" in refusal(full).next_move


def test_a_revision_that_the_installed_release_does_not_know_counts_as_newer(full):
    full.mlflow_database.unlink()
    make(full.mlflow_database, "zzz")
    said = refusal(full)
    assert (
        f"{full.mlflow_database} is at schema revision zzz, which MLflow 3.17.2 does not know" in said.message
    )
    assert said.next_move == "Install the release that wrote it."


# -- copying first


def test_a_new_project_is_remembered_and_nothing_is_copied(project):
    assert upgrade.snapshot_if_due(project, Settings()) is None
    assert versions.last_run(project) == HERE
    assert not project.snapshots.exists()


def test_the_same_versions_copy_nothing(full):
    assert upgrade.snapshot_if_due(full, Settings()) is None
    assert not full.snapshots.exists()


@pytest.mark.parametrize("part", ["airfoil", "airflow", "mlflow"])
def test_each_other_version_copies_the_databases_once(full, part):
    older = replace(HERE, **{part: "0.0.1"})
    versions.remember(full, older)
    make(full.mlflow_home / "auth.db")
    made = upgrade.snapshot_if_due(full, Settings())
    assert made is not None
    assert made.versions == older
    assert {"airflow.db", "mlflow.db", "auth.db"} <= {path.name for path in made.folder.iterdir()}
    assert versions.last_run(full) == HERE
    assert upgrade.snapshot_if_due(full, Settings()) is None, "once"


def test_an_older_database_under_the_same_versions_is_copied_too(full):
    """Somebody put a backup in place."""
    full.airflow_database.unlink()
    make(full.airflow_database, "aaa")
    assert upgrade.snapshot_if_due(full, Settings()) is not None


def test_an_upgrade_that_was_cut_off_after_its_snapshot_makes_no_other(full):
    full.airflow_database.unlink()
    make(full.airflow_database, "aaa")
    versions.remember(full, replace(HERE, airflow="3.3.1"))
    assert upgrade.snapshot_if_due(full, Settings()) is not None
    assert upgrade.snapshot_if_due(full, Settings()) is None, "still behind, and copied"
    assert len(snapshots.found_in(full)) == 1


@pytest.mark.parametrize("text", [b"garbage" * 1000, b"", None])
def test_what_never_had_a_schema_is_not_copied(project, text):
    """`up` refuses it as it is, and a note about an upgrade would only hide that."""
    project.airflow_database.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        with closing(sqlite3.connect(project.airflow_database)) as database, database:
            database.execute("create table half (way text)")
    else:
        project.airflow_database.write_bytes(text)
    assert upgrade.snapshot_if_due(project, Settings()) is None
    assert not project.snapshots.exists()


def test_a_damaged_database_is_copied(full):
    versions.remember(full, replace(HERE, airflow="3.3.1"))
    whole = full.airflow_database.read_bytes()
    full.airflow_database.write_bytes(whole[:100] + b"\xff" * 4000)
    made = upgrade.snapshot_if_due(full, Settings())
    assert made is not None
    assert (made.folder / "airflow.db").exists()


def test_databases_elsewhere_are_found_through_the_settings(project, tmp_path):
    place = tmp_path / "other disk" / "a.db"
    make(place)
    versions.remember(project, replace(HERE, airflow="3.3.1"))
    settings = Settings(airflow=AirflowSettings(database=f"sqlite:///{place}?timeout=5"))
    made = upgrade.snapshot_if_due(project, settings)
    assert made is not None
    assert (made.folder / "airflow.db").exists()
    assert str(place) in (made.folder / "restore.sh").read_text()


def test_a_kill_before_the_versions_are_written_only_copies_again(full, monkeypatch):
    older = replace(HERE, airflow="3.3.1")
    versions.remember(full, older)
    monkeypatch.setattr(versions, "remember", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        upgrade.snapshot_if_due(full, Settings())
    monkeypatch.undo()
    monkeypatch.setattr(versions, "installed", lambda: HERE)
    monkeypatch.setattr(versions, "schema_of", lambda _: SCHEMA)
    assert upgrade.snapshot_if_due(full, Settings()) is not None
    assert [one.versions for one in snapshots.found_in(full)] == [older, older]


def test_too_little_room_is_refused_before_anything_is_written(full, monkeypatch):
    versions.remember(full, replace(HERE, airflow="3.3.1"))
    usage = upgrade.shutil.disk_usage(full.state)._replace(free=10)
    monkeypatch.setattr(upgrade.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(upgrade, "_MIB", 1)
    with pytest.raises(NeighbourError, match="Upgrading needs"):
        upgrade.snapshot_if_due(full, Settings())
    assert not full.snapshots.exists()


def test_a_server_that_is_not_ours_is_not_ours_to_copy(full):
    """Its address is set, so whatever lies in the project is left alone and never migrated."""
    versions.remember(full, replace(HERE, mlflow="3.17.1"))
    made = upgrade.snapshot_if_due(full, Settings(mlflow=MlflowSettings(url="http://mlflow.example:5000")))
    assert made is not None
    names = {path.name for path in made.folder.iterdir()}
    assert "airflow.db" in names
    assert "mlflow.db" not in names
