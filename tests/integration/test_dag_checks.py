"""`airfoil check` with the real Airflow and ruff: every planted fault is found, honest files are left in peace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.honest_dags import HONEST
from tests.planted_faults import DUPLICATES, ENDS_THE_PROCESS, GARBAGE, PLANTED, SLOW_LIBRARY

from airfoil.settings import load
from airfoil.stack.dag_checks.examination import Outcome, examine
from airfoil.stack.dag_checks.repair import repair
from airfoil.stack.dag_checks.scope import Scope, loose_scope, project_scope
from airfoil.stack.project import Project

pytestmark = pytest.mark.integration


def write_project(root: Path, files: dict[str, str | bytes]) -> Scope:
    (root / "dags").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    (root / "src/slow_library.py").write_text(SLOW_LIBRARY, encoding="utf-8")
    for name, content in files.items():
        (root / "dags" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    project = Project(root)
    return project_scope(project, load(root, {}), None, root)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Outcome:
    """All planted faults, checked once."""
    files: dict[str, str | bytes] = {f"{one.name}.py": one.source for one in PLANTED}
    files |= DUPLICATES | {name: content for name, (content, _) in GARBAGE.items()}
    files["ends.py"] = ENDS_THE_PROCESS + "DAG"
    return examine(write_project(tmp_path_factory.mktemp("planted") / "shop", files), os.environ)


@pytest.mark.parametrize("one", PLANTED, ids=lambda one: one.name)
def test_a_planted_fault_is_found_with_file_line_and_mend(planted, one):
    found = [fault for fault in planted.faults if fault.file == f"dags/{one.name}.py"]
    hits = [fault for fault in found if (fault.code, fault.line) == (one.code, one.line)]
    if one.name == "slow":
        hits = [fault for fault in found if fault.code == "AF004"]
        assert "slow_library" in hits[0].message
    assert len(hits) == 1, found
    assert hits[0].mend
    others = {fault.code for fault in found} - {one.code}
    assert others == set(), "a planted fault is told once"


def test_more_than_25_kinds_are_planted():
    assert len({one.code for one in PLANTED}) >= 25


def test_an_id_that_stands_twice_is_told_at_both_places(planted):
    found = {(one.file, one.line) for one in planted.faults if one.code == "AF301"}
    assert found == {("dags/first_of_two.py", 7), ("dags/second_of_two.py", 9)}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_told_and_hides_nothing(planted, name):
    assert [one.code for one in planted.faults if one.file == f"dags/{name}"] == [GARBAGE[name][1]]


def test_a_file_that_ends_its_process_is_told(planted):
    assert [one.code for one in planted.faults if one.file == "dags/ends.py"] == ["AF005"]


def test_nothing_was_left_out(planted):
    assert planted.notes == []


def test_honest_files_have_no_fault(tmp_path):
    outcome = examine(write_project(tmp_path / "shop", dict(HONEST)), os.environ)
    assert outcome.faults == []
    assert outcome.files == len(HONEST) + 1


def test_fix_mends_what_is_said_to_be_mended_and_the_rest_stays(tmp_path):
    fixable = [one for one in PLANTED if one.is_fixed]
    scope = write_project(tmp_path / "shop", {f"{one.name}.py": one.source for one in fixable})
    changed = {change.file for change in repair(scope)}
    assert changed == {f"dags/{one.name}.py" for one in fixable}
    after = examine(scope, os.environ)
    assert after.faults == []
    assert list(repair(scope)) == [], "a second time there is nothing to mend"


def test_this_repository_has_no_fault(repository):
    outcome = examine(project_scope(Project(repository), load(repository, {}), None, repository), os.environ)
    assert outcome.faults == []


def test_a_new_project_of_each_template_has_no_fault(tmp_path):
    for template in ("minimal", "training", "all"):
        root = tmp_path / template
        command = [sys.executable, "-m", "airfoil", "init", str(root), "--template", template]
        subprocess.run(command, check=True, capture_output=True)
        outcome = examine(project_scope(Project(root), load(root, {}), None, root), os.environ)
        assert outcome.faults == []
        assert outcome.files >= 2


def test_a_parse_reaches_no_database_of_the_person_at_the_keyboard(tmp_path):
    """The platform's own variables are not handed on."""
    file = tmp_path / "look.py"
    text = "import os\nfrom airflow.sdk import DAG\nassert 'AIRFLOW__CORE__FERNET_KEY' not in os.environ\n"
    file.write_text(text, encoding="utf-8")
    outcome = examine(loose_scope(file, tmp_path), os.environ | {"AIRFLOW__CORE__FERNET_KEY": "x"})
    assert [one.code for one in outcome.faults if one.severity == "error"] == []
    shutil.rmtree(tmp_path)
