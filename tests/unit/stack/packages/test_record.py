"""What we remember of installations; whatever happens to the file, nothing of others is taken for ours."""

from __future__ import annotations

import sys

import pytest

from airfoil.stack.packages.record import Record, marked
from airfoil.stack.project import Project
from airfoil.stack.service import Spec

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path):
    found = Project(tmp_path)
    found.prepare()
    return found


def test_it_is_remembered(project):
    assert Record.read(project) == Record(sys.prefix, (), 0)
    Record(ours=("a", "b"), generation=2).write(project)
    assert Record.read(project) == Record(sys.prefix, ("a", "b"), 2)
    assert project.packages_file.stat().st_mode & 0o777 == 0o600


def test_what_another_environment_got_is_not_ours(project):
    Record("/elsewhere/.venv", ("a",), 2).write(project)
    assert Record.read(project) == Record(sys.prefix, (), 2)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "nonsense", '{"environment": 1, "ours": 2, "generation": "x"}']
)
def test_a_damaged_file_remembers_nothing(project, text):
    project.packages_file.write_text(text)
    assert Record.read(project) == Record()


def test_a_platform_is_started_anew_after_packages_were_replaced(project):
    spec = Spec(project="/p", stack_id="x", engine="plain", environment={"A": "1"}, services=())
    assert marked(spec, project) == spec

    Record(generation=1).write(project)
    first = marked(spec, project)
    Record(generation=2).write(project)

    assert len({spec.digest(), first.digest(), marked(spec, project).digest()}) == 3
    assert first.environment == {"A": "1", "AIRFOIL_PACKAGES": "1"}
