"""Doctor inside WSL2."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings
from airfoil.stack.checks_wsl import check_wsl
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def wsl(world):
    world.change(is_wsl=lambda: True, total_memory_mib=lambda: 8000.0, hardware_clock=lambda: world.now)
    return world


def test_elsewhere_nothing_is_looked_at(world):
    world.change(is_wsl=lambda: False, total_memory_mib=lambda: 1.0)
    (finding,) = check_wsl(world.case)
    assert (finding.level, finding.message) == ("ok", "Not inside WSL2.")


def test_a_good_one_is_said_to_be_good(wsl):
    (finding,) = check_wsl(wsl.case)
    assert finding.level == "ok"


@pytest.mark.parametrize(
    ("root", "bad"), [("/mnt/c/Users/me/shop", True), ("/mnt/d", True), ("/mnt/data/shop", False)]
)
def test_a_project_on_a_windows_drive(wsl, root, bad):
    case = replace(wsl.case, project=Project(Path(root)), settings=Settings())
    findings = [finding for finding in check_wsl(case) if finding.level == "error"]
    assert bool(findings) == bad
    assert not bad or root in findings[0].message


def test_a_database_on_a_windows_drive(wsl):
    settings = Settings(airflow=AirflowSettings(database="sqlite:////mnt/c/a.db"))
    (finding,) = check_wsl(replace(wsl.case, settings=settings))
    assert (finding.level, "/mnt/c/a.db" in finding.message) == ("error", True)


def test_little_memory(wsl):
    wsl.change(total_memory_mib=lambda: 2000.0)
    (finding,) = check_wsl(wsl.case)
    assert finding.level == "warn"
    assert ".wslconfig" in finding.fix


@pytest.mark.parametrize(("seconds", "word"), [(-3600, "behind"), (120, "ahead of")])
def test_a_clock_that_drifted_while_the_lid_was_closed(wsl, seconds, word):
    wsl.change(hardware_clock=lambda: wsl.now - seconds)
    (finding,) = check_wsl(wsl.case)
    assert word in finding.message
    assert "hwclock -s" in finding.fix


def test_a_clock_that_cannot_be_read_says_nothing(wsl):
    wsl.change(hardware_clock=lambda: None)
    assert [finding.level for finding in check_wsl(wsl.case)] == ["ok"]
