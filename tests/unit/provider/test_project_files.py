"""A relative path means the same in every worker: beside the DAG file, or in its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.errors import NotFoundError
from airfoil.provider.project_files import find_file, search_folders

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "größe [1]"
    for path in ("airfoil.toml", "dags/team/flow.py", "dags/team/near.csv", "data/far.csv", "data/b.csv"):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return root


def test_what_lies_beside_the_dag_file_is_found_first(project):
    (project / "near.csv").write_text("another")
    dag_file = str(project / "dags/team/flow.py")
    assert find_file("near.csv", dag_file) == str(project / "dags/team/near.csv")
    assert find_file("data/far.csv", dag_file) == str(project / "data/far.csv")
    assert find_file("data", dag_file) == str(project / "data")
    assert find_file("data/*.csv", dag_file) == str(project / "data/*.csv")


def test_a_name_may_look_like_a_pattern(project):
    (project / "data/a[2].csv").write_text("x")
    assert find_file("data/a[2].csv", str(project / "dags/x.py")) == str(project / "data/a[2].csv")


def test_a_whole_path_stays_as_it_is(project, monkeypatch):
    assert find_file("/nowhere/x.csv", str(project / "dags/x.py")) == "/nowhere/x.csv"
    monkeypatch.setenv("HOME", "/home/ana")
    assert find_file("~/x.csv", str(project / "dags/x.py")) == "/home/ana/x.csv"


def test_what_is_nowhere_is_said_with_both_folders(project):
    with pytest.raises(NotFoundError, match=r"There is no gone\.csv in .*team or in .*1\]"):
        find_file("gone.csv", str(project / "dags/team/flow.py"))


def test_without_a_project_the_folder_above_counts(tmp_path):
    assert search_folders(str(tmp_path / "dags/x.py")) == (tmp_path / "dags", tmp_path)
    assert search_folders("/x.py") == (Path("/"),)
