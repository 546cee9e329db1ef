"""Versions: which is newer, what last ran a project, which schema revisions an installed library knows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.sqlite_faults import make_half_written

from airfoil.stack import versions
from airfoil.stack.project import Project
from airfoil.stack.versions import Schema, Versions

pytestmark = pytest.mark.unit

NOW = Versions(airfoil="0.1.0", airflow="3.3.2", mlflow="3.17.2")


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path / "Läden 100%")
    made.airflow_home.mkdir(parents=True)
    return made


# -- comparing


@pytest.mark.parametrize(
    ("other", "newer"),
    [
        (NOW, []),
        (Versions(), []),
        (Versions("0.1.0", "3.3.1", "3.17.2"), []),
        (Versions("0.1.0", "3.10.0", "3.17.2"), ["airflow"]),
        (Versions("0.2.0", "3.3.2", "3.18.0"), ["airfoil", "mlflow"]),
        (Versions("0.1.0", "3.3.2rc1", "not a version"), []),
    ],
)
def test_what_is_newer(other, newer):
    assert list(other.newer_than(NOW)) == newer


def test_as_a_name_of_a_folder():
    assert str(NOW) == "airfoil-0.1.0-airflow-3.3.2-mlflow-3.17.2"
    assert str(Versions()) == "unknown"
    assert str(Versions(airflow="3/../4 ä")) == "airflow-3_.._4_ä"


def test_what_is_installed_is_known_without_importing_it():
    found = versions.installed()
    assert found.known().keys() == {"airfoil", "airflow", "mlflow"}


# -- remembering


def test_what_last_ran_a_project_is_remembered_privately(project):
    assert versions.last_run(project) == Versions()
    versions.remember(project, NOW)
    assert versions.last_run(project) == NOW
    assert project.versions.stat().st_mode & 0o777 == 0o600


def test_a_project_of_before_has_airflows_own_note(project):
    (project.airflow_home / "applied.json").write_text('{"database": {"release": "3.3.1", "revision": "x"}}')
    assert versions.last_run(project) == Versions(airflow="3.3.1")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"airflow": null}', '"3.3"'])
def test_a_garbled_file_says_nothing(project, text):
    project.versions.write_text(text)
    assert versions.last_run(project) == Versions()


def test_a_new_airflow_database_keeps_what_wrote_mlflows(project):
    versions.forget_airflow(project)
    assert not project.versions.exists()
    versions.remember(project, NOW)
    versions.forget_airflow(project)
    assert versions.last_run(project) == Versions(airfoil="0.1.0", mlflow="3.17.2")


# -- what was tested


def test_an_untested_version(monkeypatch):
    wanted = ["httpx>=0.28", "apache-airflow-core<3.4,>=3.3.2", 'mlflow==3.17.2; extra == "stack"']
    for version, answer in {
        "3.3.2": "",
        "3.3.9": "",
        "3.4.0": "<3.4,>=3.3.2",
        "3.2.0": "<3.4,>=3.3.2",
        "": "",
    }.items():
        monkeypatch.setattr(versions, "_installed", lambda _, version=version: version)
        assert versions.untested("apache-airflow-core", wanted) == answer
    assert versions.untested("unheard-of", wanted) == ""


# -- schemas


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)


def test_revisions_are_read_from_migration_files(tmp_path):
    write(tmp_path, "a", 'revision = "aaa"\ndown_revision = None\n')
    write(tmp_path, "b", "revision: str = 'bbb'\ndown_revision: str | None = 'aaa'\n")
    write(tmp_path, "c", 'revision = "ccc"\ndown_revision = (\n    "aaa",\n    "bbb",\n)\n')
    write(tmp_path, "d", 'revision = "ddd"\ndown_revision = "ccc"  # the last\nbranch_labels = None\n')
    write(tmp_path, "README", "no migration at all")
    found = versions.read_schema(tmp_path)
    assert found == Schema(frozenset({"aaa", "bbb", "ccc", "ddd"}), frozenset({"ddd"}))
    assert [found.is_behind(name) for name in ("aaa", "ddd", "zzz", "")] == [True, False, False, False]
    assert [found.is_unknown(name) for name in ("aaa", "ddd", "zzz", "")] == [False, False, True, False]


def test_where_nothing_can_be_read_nothing_is_claimed(tmp_path):
    nothing = versions.read_schema(tmp_path / "absent")
    assert nothing == Schema()
    assert not nothing.is_unknown("zzz")
    assert not nothing.is_behind("zzz")


@pytest.mark.parametrize("part", ["airflow", "mlflow"])
def test_the_installed_libraries_have_one_newest_schema(part):
    """As text, and as alembic itself reads them."""
    from importlib.util import find_spec

    from alembic.script import ScriptDirectory

    found = versions.schema_of(part)
    assert len(found.heads) == 1
    package, folder = versions._MIGRATIONS[part]
    spec = find_spec(package)
    assert spec is not None
    scripts = ScriptDirectory(str(Path(next(iter(spec.submodule_search_locations or ())), folder).parent))
    assert found.heads == set(scripts.get_heads())
    assert found.revisions == {script.revision for script in scripts.walk_revisions()}


def test_the_revision_of_a_database(project):
    path = project.airflow_database
    assert versions.revision_of(path) == ""
    path.write_bytes(b"no database at all" * 100)
    assert versions.revision_of(path) == ""
    path.unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table alembic_version (version_num text)")
    assert versions.revision_of(path) == ""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("insert into alembic_version values ('abc')")
    assert versions.revision_of(path) == "abc"


def test_the_revision_of_a_database_whose_writer_was_killed(tmp_path):
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table alembic_version (version_num text)")
        made.execute("insert into alembic_version values ('a1')")
    make_half_written(path)
    assert versions.revision_of(path) == "a1"
