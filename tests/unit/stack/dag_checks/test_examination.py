"""One check without a parse: what is joined, what is left out, and what the project does not want to hear."""

from __future__ import annotations

import pytest

from airfoil.stack.dag_checks import examination, ruff
from airfoil.stack.dag_checks.scope import Scope, Wishes

pytestmark = pytest.mark.unit
DAG = "from airflow.sdk import DAG\nDAG('x', tags=['t'], description='d', default_args={'owner': 'o'})\n"


@pytest.fixture
def check(tmp_path):
    """check({name: text}, **wishes) gives the outcome."""

    def run(files, **wishes):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        paths = tuple(sorted(tmp_path.glob("*.py")))
        scope = Scope(tmp_path, paths, tmp_path, wishes=Wishes(**wishes))
        return examination.examine(scope, {}, parse=False)

    return run


def test_nothing_wrong_is_nothing_told(check):
    outcome = check({"a.py": DAG})
    assert (outcome.faults, outcome.files, outcome.errors, outcome.notes) == ([], 1, 0, [])


def test_faults_of_all_files_are_told_in_their_order(check):
    outcome = check({"b.py": DAG + "import pandas\nimport torch\n", "a.py": "def ("})
    assert [(one.file, one.line) for one in outcome.faults] == [("a.py", 1), ("b.py", 3), ("b.py", 4)]
    assert outcome.errors == 1


def test_an_id_that_stands_twice_is_told(check):
    outcome = check({"a.py": DAG, "b.py": DAG})
    assert [(one.file, one.code) for one in outcome.faults] == [("a.py", "AF301"), ("b.py", "AF301")]


def test_what_ruff_knows_too_is_told_once_and_is_fixable(check):
    text = DAG + "from airflow.datasets import Dataset\nprint(Dataset('x'))\n"
    (found,) = check({"a.py": text}).faults
    assert (found.code, found.fixable) == ("AF106", True)


def test_codes_that_are_not_wanted_are_left_out(check):
    assert check({"a.py": DAG + "import pandas\n"}, ignore=frozenset({"AF206"})).faults == []


def test_a_line_may_be_allowed(check):
    text = DAG + "import pandas  # airfoil: allow AF206 - small here\nimport torch  # airfoil: allow AF101\n"
    assert [one.line for one in check({"a.py": text}).faults] == [4]


def test_without_ruff_the_rest_works_and_it_is_said(check, monkeypatch):
    monkeypatch.setattr(ruff, "find_ruff", lambda: None)
    outcome = check({"a.py": DAG + "import pandas\n"})
    assert [one.code for one in outcome.faults] == ["AF206"]
    assert "ruff is not installed" in outcome.notes[0]


def test_a_ruff_that_fails_is_said(check, monkeypatch, tmp_path):
    monkeypatch.setattr(ruff, "find_ruff", lambda: tmp_path / "no-ruff")
    outcome = check({"a.py": DAG})
    assert "could not be run" in outcome.notes[0]
