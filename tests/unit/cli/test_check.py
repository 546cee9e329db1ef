"""`airfoil check`: what is printed, as text and as JSON, and the exit code."""

from __future__ import annotations

import pytest

from airfoil.cli.check import summary
from airfoil.lint.fault import fault
from airfoil.stack.dag_checks import parsing, record

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG\nDAG('x', tags=['t'], description='d', default_args={'owner': 'o'})\n"


@pytest.fixture(autouse=True)
def no_parse(monkeypatch):
    """The parse starts Airflow; what it finds is tested in tests/integration."""
    monkeypatch.setattr(parsing, "parse_files", lambda scope, files, given: [])


def test_nothing_wrong(airfoil, project):
    (project.dags / "a.py").write_text(DAG, encoding="utf-8")
    said = airfoil("check")
    assert (said.code, said.out) == (0, "1 file looked at, nothing to mend.\n")


def test_a_warning_is_no_failure_and_an_error_is(airfoil, project):
    (project.dags / "a.py").write_text(DAG + "import pandas\n", encoding="utf-8")
    said = airfoil("check")
    assert said.code == 0
    assert "dags/a.py:3 AF206" in said.out
    assert "1 warning." in said.out
    (project.dags / "a.py").write_text(DAG + "password = 'hunter2'\n", encoding="utf-8")
    said = airfoil("check")
    assert said.code == 1
    assert "dags/a.py:3 AF401" in said.out
    assert "hunter2" not in said.out


def test_json_is_one_object(airfoil, project):
    (project.dags / "a.py").write_text(DAG.replace("'x'", "'x', fail_stop=True"), encoding="utf-8")
    found = airfoil("check", "--json").json()
    assert (found["files"], found["errors"], found["warnings"], found["changed"]) == (1, 1, 0, [])
    (row,) = found["faults"]
    assert (row["file"], row["line"], row["code"], row["fixable"]) == ("dags/a.py", 2, "AF101", True)


def test_fix_mends_and_shows_it(airfoil, project):
    path = project.dags / "a.py"
    path.write_text(DAG.replace("'x'", "'x', fail_stop=True"), encoding="utf-8")
    assert "`airfoil check --fix` mends 1 of them." in airfoil("check").out
    said = airfoil("check", "--fix")
    assert said.code == 0
    assert "Mended dags/a.py" in said.out
    assert "fail_fast=True" in path.read_text(encoding="utf-8")
    assert "nothing to mend" in said.out


def test_a_path_needs_no_project(airfoil, tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("def (", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = airfoil("check", "a.py")
    assert said.code == 1
    assert "a.py:1 AF002" in said.out


def test_without_a_project_and_a_path_there_is_nothing_to_check(airfoil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = airfoil("check")
    assert said.code == 1
    assert "airfoil init" in said.err


def test_a_path_that_does_not_exist_is_one_sentence(airfoil, project):
    said = airfoil("check", "nowhere")
    assert said.code == 1
    assert "does not exist" in said.err


def test_counts_read_well():
    one, other = fault("AF101", "x", 1, "m", "f"), fault("AF305", "x", 1, "m", "f")
    assert summary([one, one, other], 2, fix=False) == "2 files looked at: 2 errors and 1 warning."


def test_a_whole_check_is_left_for_the_status_page(airfoil, project, monkeypatch):
    (project.dags / "a.py").write_text(DAG + "import pandas\n", encoding="utf-8")
    airfoil("check", str(project.dags))
    assert record.load(project.run) is None
    monkeypatch.chdir(project.root.parent)
    airfoil("--project", str(project.root), "check")
    found = record.load(project.run)
    assert found is not None
    assert [row["file"] for row in found.faults] == ["dags/a.py"]
    assert found.mark == record.mark_of(found.folders)
