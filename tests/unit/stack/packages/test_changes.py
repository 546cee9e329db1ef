"""What a wish leads to before any package index is asked; the whole way is in tests/integration/test_packages.py."""

from __future__ import annotations

import contextlib

import pytest

from airfoil.errors import ConfigurationError, NotFoundError, ServiceUnreachableError
from airfoil.stack.packages import changes
from airfoil.stack.packages.changes import Change, Wish
from airfoil.stack.packages.uv import Uv
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

PYPROJECT = '[project]\nname = "x"\ndependencies = ["airfoil[stack]"]\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    found = Project(tmp_path)
    found.prepare()
    return found


@pytest.fixture
def unreachable(monkeypatch):
    """A uv that finds no network."""

    def refuse(*_, **__):
        raise ServiceUnreachableError("The package index cannot be reached.", "Check the network.")

    monkeypatch.setattr(Uv, "_run", refuse)


def carry_out(project, *packages, **values):
    return changes.carry_out(project, Wish(packages, **values), "x", lambda _: contextlib.nullcontext())


@pytest.mark.parametrize(
    ("packages", "values", "sentence"),
    [
        (("a b",), {}, "names no package"),
        (("Airfoil[postgres]",), {}, "Airfoil itself is not locked"),
        ((), {"remove": True}, "--remove needs the name"),
        (("a",), {"environment": "../x"}, "cannot be the name"),
        ((), {"environment": "old"}, "names no package for the environment old"),
        (("a",), {"remove": True}, "names no package a"),
    ],
)
def test_nonsense_is_refused_before_anything_is_asked(project, unreachable, packages, values, sentence):
    with pytest.raises((ConfigurationError, NotFoundError), match=sentence):
        carry_out(project, *packages, **values)
    assert (project.root / "pyproject.toml").read_text() == PYPROJECT


def test_what_could_not_be_locked_changes_no_file(project, unreachable):
    before = {path.name for path in project.root.iterdir()}

    with pytest.raises(ServiceUnreachableError):
        carry_out(project, "cowsay")

    assert (project.root / "pyproject.toml").read_text() == PYPROJECT
    assert {path.name for path in project.root.iterdir()} == before


def test_a_project_without_a_lock_costs_nothing(project, unreachable):
    assert changes.bring_up_to_date(project, pytest.fail) == (Change(), "")


def test_offline_is_a_note_and_no_failure(project, unreachable):
    project.lock_file().write_text("zz-nothing==1\n")

    change, problem = changes.bring_up_to_date(project, lambda _: contextlib.nullcontext())

    assert change == Change()
    assert problem == (
        "The package index cannot be reached. What airfoil.lock adds is not installed; `airfoil up` tries again."
    )
