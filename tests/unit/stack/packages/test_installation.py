"""What is installed, removed and remembered, over a uv that only notes what it is asked."""

from __future__ import annotations

import contextlib
from importlib import metadata

import pytest

from airfoil.stack.packages import installation
from airfoil.stack.packages.installation import Change, install, is_in_line
from airfoil.stack.packages.lock import Lock
from airfoil.stack.packages.record import Record
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

PYTEST = metadata.version("pytest")


class NotingUv:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def install(self, lock, python) -> None:
        self.asked.append(("install", lock.name))

    def uninstall(self, names, python) -> None:
        self.asked.append(("uninstall", *names))


@pytest.fixture
def project(tmp_path):
    found = Project(tmp_path)
    found.prepare()
    return found


@pytest.fixture
def uv():
    return NotingUv()


def quiet(what: str) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def test_nothing_to_do_asks_nobody(project, uv):
    lock = Lock(f"pytest=={PYTEST}\n")

    assert is_in_line(project, lock)
    assert install(project, lock, uv, quiet) == Change()
    assert not install(project, lock, uv, quiet)
    assert uv.asked == []
    assert not project.packages_file.exists()


def test_what_is_new_is_remembered_as_ours_and_asks_for_no_restart(project, uv):
    said = []
    lock = Lock(f"pytest=={PYTEST}\nzz-new==1\nzz-other==2\n")

    change = install(project, lock, uv, lambda what: contextlib.nullcontext(said.append(what)))

    assert change == Change(("zz-new 1", "zz-other 2"))
    assert uv.asked == [("install", "airfoil.lock")]
    assert Record.read(project) == Record(ours=("zz-new", "zz-other"))
    assert said == ["Installing zz-new 1, zz-other 2"]


def test_a_replaced_version_asks_for_a_restart_and_is_not_ours(project, uv):
    change = install(project, Lock("pytest==0.1\n"), uv, quiet)

    assert change == Change(("pytest 0.1",), (), needs_restart=True)
    assert Record.read(project) == Record(generation=1)


def test_what_we_installed_and_nobody_names_goes(project, uv):
    # iniconfig stands for a package of ours that something else (pytest) needs; anyio for one of the platform.
    Record(ours=("cfgv-not-there", "iniconfig", "pytest-timeout", "anyio"), generation=3).write(project)

    change = install(project, Lock(""), uv, quiet)

    assert change == Change((), ("pytest-timeout",), needs_restart=True)
    assert uv.asked == [("uninstall", "pytest-timeout")]
    assert Record.read(project).generation == 4
    assert "pytest-timeout" not in Record.read(project).ours


def test_a_package_goes_with_what_only_it_needs(project, monkeypatch):
    Record(ours=("iniconfig", "pytest", "pytest-timeout")).write(project)
    monkeypatch.setattr(installation, "_version", lambda _: "1")
    needed = installation._needed_by_others({"pytest", "iniconfig", "pytest-timeout"})
    assert "iniconfig" not in needed
    assert "iniconfig" in installation._needed_by_others({"iniconfig"})


def test_many_names_fit_on_a_line():
    assert installation._names(["a", "b", "c"]) == "a, b, c"
    assert installation._names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
