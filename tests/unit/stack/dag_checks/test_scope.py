"""Which files are looked at, and what a project may wish."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError
from airfoil.settings import load
from airfoil.stack.dag_checks.scope import (
    PARSE_SECONDS,
    Wishes,
    loose_scope,
    project_scope,
    python_files,
    read_wishes,
)
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n", encoding="utf-8")


def test_a_project_is_its_dags_and_its_sources(tmp_path):
    make(
        tmp_path, "dags/a.py", "dags/sub/b.py", "src/shop/c.py", "tests/d.py", "dags/.hidden.py", "dags/x.txt"
    )
    make(tmp_path, "dags/__pycache__/e.py", "dags/.venv/f.py")
    (tmp_path / "airfoil.toml").write_text("", encoding="utf-8")
    scope = project_scope(Project(tmp_path), load(tmp_path, {}), None, tmp_path)
    assert [scope.name(path) for path in scope.files] == ["dags/a.py", "dags/sub/b.py", "src/shop/c.py"]
    assert scope.is_whole
    assert scope.roots == (tmp_path / "dags", tmp_path / "src")


def test_a_project_without_dags_is_empty_and_no_error(tmp_path):
    (tmp_path / "airfoil.toml").write_text("", encoding="utf-8")
    assert project_scope(Project(tmp_path), load(tmp_path, {}), None, tmp_path).files == ()


def test_a_file_of_no_project_is_looked_at_alone(tmp_path):
    make(tmp_path, "a.py", "b.py")
    scope = loose_scope(tmp_path / "a.py", tmp_path)
    assert scope.files == (tmp_path / "a.py",)
    assert not scope.is_whole


def test_what_is_named_must_exist(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        loose_scope(tmp_path / "missing.py", tmp_path)


def test_a_file_elsewhere_keeps_its_whole_name(tmp_path):
    scope = loose_scope(tmp_path, tmp_path / "other")
    assert scope.name(tmp_path / "a.py") == str(tmp_path / "a.py")


def test_airflowignore_is_obeyed(tmp_path):
    make(tmp_path, "a.py", "old/b.py", "sub/c_draft.py", "sub/c.py", "sub/deep/d.py")
    (tmp_path / ".airflowignore").write_text("# what rests\nold/\n*_draft.py\n", encoding="utf-8")
    (tmp_path / "sub" / ".airflowignore").write_text("deep\n", encoding="utf-8")
    found = {path.relative_to(tmp_path).as_posix() for path in python_files(tmp_path, is_named=True)}
    assert found == {"a.py", "sub/c.py"}


def test_links_in_a_circle_end(tmp_path):
    make(tmp_path, "a.py")
    (tmp_path / "again").symlink_to(tmp_path)
    assert len(list(python_files(tmp_path, is_named=True))) == 1


def test_a_project_says_what_it_wishes(tmp_path):
    text = '[tool.airfoil.check]\n\ndag_ids = ["a", "b"]\nignore = ["AF307"]\nparse_seconds = 2\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert read_wishes(tmp_path) == Wishes(frozenset("ab"), 3, frozenset({"AF307"}), 2.0)


@pytest.mark.parametrize("text", ["", "[tool]\n", "[tool.airfoil]\nx = 1\n", None])
def test_nothing_wished_is_the_default(tmp_path, text):
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert read_wishes(tmp_path) == Wishes(parse_seconds=PARSE_SECONDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.airfoil.check]\nids = []\n", "ids is unknown"),
        ("[tool.airfoil.check]\ndag_ids = 'a'\n", "dag_ids is no list"),
        ("[tool.airfoil.check]\nignore = [1]\n", "ignore is no list"),
        ("[tool.airfoil.check]\nparse_seconds = 0\n", "parse_seconds is no number"),
        ("[tool.airfoil]\ncheck = 3\n", "check is unknown"),
        ("tool = 1\n", "cannot be read"),
        ("[tool", "cannot be read"),
    ],
)
def test_a_wrong_wish_is_one_sentence(tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        read_wishes(tmp_path)


def test_the_parse_reads_dags_with_the_users_options_and_profiles_but_reaches_no_server(tmp_path):
    (tmp_path / "airfoil.toml").write_text(
        '[airflow.core]\ndefault_timezone = "Europe/Berlin"\n[profiles.training]\ncpu = 2\n', encoding="utf-8"
    )
    scope = project_scope(Project(tmp_path), load(tmp_path, {}), None, tmp_path)
    found = dict(scope.options)
    assert found["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "Europe/Berlin"
    assert "training" in found["AIRFLOW__AIRFOIL__PROFILES"]
    assert not any(name.startswith("AIRFLOW__DATABASE") for name in found)
