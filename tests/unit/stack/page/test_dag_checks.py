"""The page's view of the checks: the checker is started when files changed, and only then."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airfoil.stack.dag_checks import record
from airfoil.stack.page.dag_checks import DagChecks, run_checker
from airfoil.stack.page.facts import CheckFacts
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit
FAULT = {
    "file": "dags/a.py",
    "line": 3,
    "code": "AF206",
    "severity": "warning",
    "message": "m secret",
    "mend": "f",
}


@pytest.fixture
def scene(tmp_path):
    """A project, a checker that counts its starts, and the view."""

    class Scene:
        def __init__(self):
            self.project = Project(tmp_path)
            self.project.prepare()
            self.project.dags.mkdir()
            self.starts = 0
            self.works = True
            self.facts = CheckFacts()
            self.view = self.fresh()

        def fresh(self):
            return DagChecks(self.project, self.check)

        def check(self, project):
            self.starts += 1
            if self.works:
                folders = (str(project.dags),)
                mark = record.mark_of(folders)
                record.save(project.run, record.CheckRecord(mark, folders, self.starts, 0, 1, (FAULT,)))
            return self.works

        def look(self, times=2):
            for _ in range(times - 1):
                self.look_once()
            return self.look_once()

        def look_once(self):
            self.facts = self.view.look(self.facts, lambda text: text.replace("secret", "•••"))
            return self.facts

    return Scene()


def test_nothing_is_started_while_nothing_changes(scene):
    first = scene.look()
    assert [scene.look() for _ in range(3)] == [first] * 3
    assert scene.starts == 1
    assert first.files == 1
    assert first.faults[0].message == "m •••"


def test_a_single_look_is_quick_and_starts_nothing(scene):
    assert scene.look(times=1) == CheckFacts()
    assert scene.starts == 0


def test_files_that_change_all_the_time_are_checked_when_they_rest(scene):
    for number in range(3):
        (scene.project.dags / "a.py").write_text("x" * number, encoding="utf-8")
        scene.look(times=1)
    assert scene.starts == 0
    scene.look(times=1)
    assert scene.starts == 1


def test_a_change_is_seen(scene):
    scene.look()
    (scene.project.dags / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert scene.look().files == 2
    assert scene.starts == 2


def test_a_page_that_was_restarted_reads_what_is_known(scene):
    first = scene.look()
    scene.view = scene.fresh()
    scene.facts = CheckFacts()
    assert scene.look() == first
    assert scene.starts == 1


def test_a_checker_that_fails_is_not_started_again_and_again(scene):
    scene.works = False
    assert "airfoil check" in scene.look().error
    assert "airfoil check" in scene.look().error
    assert scene.starts == 1
    scene.works = True
    (scene.project.dags / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert scene.look().error == ""


def test_a_command_reads_what_is_known_and_starts_nothing(scene):
    reader = DagChecks(scene.project, check=None)
    assert reader.look(CheckFacts(), str) == CheckFacts()
    scene.look()
    assert reader.look(CheckFacts(), str).files == 1
    (scene.project.dags / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert reader.look(CheckFacts(), str) == CheckFacts()
    assert scene.starts == 1


def test_the_checker_is_a_process_that_leaves_its_result(scene):
    (scene.project.root / "airfoil.toml").touch()
    (scene.project.dags / "a.py").write_text("password = 'hunter2'\n", encoding="utf-8")
    assert run_checker(scene.project)
    found = record.load(scene.project.run)
    assert found is not None
    assert (found.files, found.errors, found.faults[0]["code"]) == (1, 1, "AF401")
    (scene.project.root / "airfoil.toml").write_text("[nonsense", encoding="utf-8")
    assert run_checker(scene.project) is False


def test_the_page_loads_no_rule(tmp_path):
    code = "import sys, airfoil.stack.page.dag_checks; print([name for name in sys.modules if 'airfoil.lint' in name])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
