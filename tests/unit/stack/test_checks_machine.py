"""Doctor on machines that nobody has at hand."""

import os
import tomllib

import pytest

from airfoil.stack.checks_machine import (
    OLDEST_PYTHON,
    TOO_NEW_PYTHON,
    check_clock,
    check_disk,
    check_memory,
    check_python,
    check_user,
    check_versions,
)
from airfoil.stack.machine import Disk

pytestmark = pytest.mark.unit


def test_a_healthy_machine_has_nothing_bad(world):
    for check in (check_python, check_user, check_clock, check_disk, check_memory, check_versions):
        found = list(check(world.case))
        assert found
        assert world.bad(found) == []


@pytest.mark.parametrize("python", [(3, 10), (3, 14), (4, 0)])
def test_a_python_out_of_bounds(world, python):
    world.change(python=python)
    ((level, message),) = world.bad(check_python(world.case))
    assert level == "error"
    assert f"Python {python[0]}.{python[1]} is" in message


def test_the_bounds_are_those_of_the_package(repository):
    wanted = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["requires-python"]
    assert wanted == f">={OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]},<{TOO_NEW_PYTHON[0]}.{TOO_NEW_PYTHON[1]}"


def test_windows(world):
    world.change(platform="win32")
    assert world.bad(check_python(world.case)) == [("error", "Airflow does not run on win32.")]


def test_root_is_warned(world):
    world.change(user_id=lambda: 0)
    ((level, message),) = world.bad(check_user(world.case))
    assert level == "warn"
    assert message.startswith("You are root")


@pytest.mark.parametrize("now", [0.0, 86400.0 * 365, 5e9, 1e18, float("nan")])
def test_a_clock_in_another_age(world, now):
    world.change(clock=lambda: now)
    ((level, message),) = world.bad(check_clock(world.case))
    assert level == "error"
    assert message.startswith("The clock says")


def test_a_clock_that_went_back(world):
    os.utime(world.project.toml, (world.now + 3600, world.now + 3600))
    assert world.bad(check_clock(world.case)) == [
        ("warn", "airfoil.toml was written 60 minutes from now: the clock is behind, or was ahead.")
    ]


@pytest.mark.parametrize(
    ("disk", "level", "words"),
    [
        (Disk(free_mib=499), "warn", "Only 499 MiB are free"),
        (Disk(free_mib=0), "error", "Only 0 MiB are free"),
        (Disk(free_mib=50_000, free_files=999), "warn", "Only 999 files are free"),
        (Disk(free_mib=50_000, free_files=0), "error", "Only 0 files are free"),
        (Disk(free_mib=50_000, read_only=True), "error", "is on a read-only disk"),
        (Disk(free_mib=50_000, kind="nfs4"), "warn", "is on a nfs4 disk"),
        (Disk(free_mib=50_000, kind="9p"), "warn", "is on a 9p disk"),
    ],
)
def test_disks(world, disk, level, words):
    world.change(disk=lambda _folder: disk)
    ((found, message),) = world.bad(check_disk(world.case))
    assert (found, words in message) == (level, True)


def test_the_wanted_room_comes_from_the_budget(world):
    world.change(disk=lambda _folder: Disk(free_mib=499))
    world.settings("[budgets]\ndisk_free_mib = 400\n")
    assert world.bad(check_disk(world.case)) == []


@pytest.mark.parametrize(("free_mib", "level"), [(1200, None), (1100, "warn"), (500, "error"), (0, "error")])
def test_memory(world, free_mib, level):
    world.change(available_memory_mib=lambda: float(free_mib))
    assert [found for found, _ in world.bad(check_memory(world.case))] == ([level] if level else [])


def test_a_running_platform_needs_room_for_a_task_only(world):
    world.state()
    world.alive(100)
    world.change(available_memory_mib=lambda: 300.0)
    assert world.bad(check_memory(world.case)) == []
    world.change(available_memory_mib=lambda: 60.0)
    assert world.bad(check_memory(world.case)) == [
        ("warn", "Only 60 MiB of memory are free; the platform wants 100 MiB.")
    ]


def test_versions_that_are_missing_or_untested(world):
    world.change(installed={"apache-airflow-core": "3.4.0", "mlflow": "3.17.2"}.get)
    assert world.bad(check_versions(world.case)) == [
        (
            "warn",
            (
                "apache-airflow-core 3.4.0 is not what this release was tested with (<3.4,>=3.3.2): "
                "its components run unmodified."
            ),
        ),
        ("error", "feast is not installed."),
    ]


def test_a_pre_release_inside_the_bounds_is_fine(world):
    world.change(
        installed={"apache-airflow-core": "3.3.3rc1", "mlflow": "3.17.2", "feast": "0.67.1.dev0"}.get
    )
    assert world.bad(check_versions(world.case)) == []


def test_airfoil_run_from_a_bare_checkout(world):
    world.change(requirements=list)
    assert [level for level, _ in world.bad(check_versions(world.case))] == ["warn"]


def test_the_real_requirements_name_what_is_checked():
    from airfoil.stack.machine import own_requirements

    text = " ".join(own_requirements())
    assert all(name in text for name in ("apache-airflow-core", "mlflow", "feast"))


def test_drivers_that_the_settings_need(world):
    world.settings(
        "[airflow]\ndatabase = 'postgresql://u:geheim@db/x'\n[mlflow]\nartifacts = 's3://bucket/x'\n"
    )
    found = world.bad(check_versions(world.case))
    assert found == [
        ("error", "A PostgreSQL database is set, but no driver is installed."),
        ("error", "Artifacts go to S3, but boto3 is not installed."),
    ]
