"""The whole examination: without a project, with a broken one, and with checks that fail themselves."""

import errno
import json
import os
from pathlib import Path
from typing import Self

import pytest

from airfoil.errors import NeighbourError
from airfoil.stack import doctor, secrets
from airfoil.stack import state as states
from airfoil.stack.doctor import MACHINE_CHECKS, PROJECT_CHECKS, examine, examine_from

pytestmark = pytest.mark.unit


def test_a_healthy_project(world):
    findings = examine_from(world.project.root / "dags", {}, machine=world.machine)
    assert world.bad(findings) == []
    assert {finding.check for finding in findings} == {*MACHINE_CHECKS, *PROJECT_CHECKS}


def test_findings_are_json_rows(world):
    rows = [finding.to_dict() for finding in examine_from(world.project.root, {}, machine=world.machine)]
    assert json.loads(json.dumps(rows)) == rows
    assert all(set(row) == {"check", "level", "message", "fix"} for row in rows)


def test_without_a_project_the_machine_is_examined_all_the_same(tmp_path, world):
    findings = examine_from(tmp_path, {}, machine=world.machine)
    ((level, message),) = world.bad(findings)
    assert level == "warn"
    assert "is not in an Airfoil project" in message
    assert {finding.check for finding in findings} == {*MACHINE_CHECKS, "project"}
    assert examine(None, None, machine=world.machine)


@pytest.mark.parametrize("toml", ["[airflow]\nport = 0\n", "\x00", "[airflow]\nprot = 1\n"])
def test_broken_settings_are_a_finding_and_hide_nothing_else(world, toml):
    world.settings(toml)
    world.project.secrets.write_text("{")
    findings = examine_from(world.project.root, {}, machine=world.machine)
    assert {finding.check for finding in findings if finding.level == "error"} >= {"settings", "secrets"}


def test_a_folder_in_place_of_the_settings(world):
    world.project.toml.unlink()
    world.project.toml.mkdir()
    findings = examine_from(world.project.root, {}, machine=world.machine)
    assert "is a folder, not a file" in world.bad(findings)[0][1]


def test_a_garbled_state_file_is_no_state(world):
    world.project.state_file.write_bytes(b"\xff{")
    assert world.bad(examine_from(world.project.root, {}, machine=world.machine)) == []


def test_a_disk_that_refuses_in_the_middle_is_explained(world):
    def refuse(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder / "x"))

    world.change(disk=refuse)
    assert world.bad(examine_from(world.project.root, {}, machine=world.machine)) == [
        ("error", f"{world.project.root}/x could not be used: Input/output error.")
    ]


def test_a_state_folder_that_is_closed_to_us_is_said_once(world, monkeypatch):
    real_access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != world.project.state and real_access(path, mode)
    )
    ((level, message),) = world.bad(examine_from(world.project.root, {}, machine=world.machine))
    assert level == "error"
    assert message == f"The permissions of {world.project.state} forbid to use it."


def test_a_check_that_fails_does_not_hide_the_others(world):
    def broken(_folder: object) -> None:
        raise RuntimeError("no such luck")

    world.change(disk=broken)
    findings = examine_from(world.project.root, {}, machine=world.machine)
    assert world.bad(findings) == [("warn", "This could not be examined: no such luck.")]
    assert {finding.check for finding in findings} == {*MACHINE_CHECKS, *PROJECT_CHECKS}


def test_an_airflow_that_does_not_answer_is_a_finding(world):
    def refuse(*_: object) -> list[dict[str, object]]:
        raise NeighbourError("Airflow does not answer.", "`airfoil status`")

    world.state(world.service("api-server", 200))
    states.save(world.project.state_file, world.last_state)
    world.alive(100, 200)
    case = world.case
    findings = examine(case.project, case.settings, machine=world.machine, ask_airflow=refuse)
    assert world.bad(findings) == [("error", "Airflow does not answer.")]


def test_airflow_is_asked_with_the_generated_password(world, monkeypatch):
    secrets.ensure(world.project)
    asked = []

    class Airflow:
        def __init__(self, url: str, username: str, password: str) -> None:
            asked.append((url, username, password))

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def import_errors(self) -> list[dict[str, str]]:
            return [{"filename": "x.py"}]

    monkeypatch.setattr("airfoil.stack.airflow_rest.AirflowRest", Airflow)
    world.state(world.service("api-server", 200))
    assert doctor.ask_airflow(world.project, world.last_state) == [{"filename": "x.py"}]
    assert asked == [("http://127.0.0.1:8080", "admin", secrets.load(world.project).admin_password)]
    world.state()
    with pytest.raises(NeighbourError, match="no Airflow with an address"):
        doctor.ask_airflow(world.project, world.last_state)


def test_the_real_machine_can_be_examined(world):
    findings = examine_from(world.project.root, {})
    assert {finding.check for finding in findings} == {*MACHINE_CHECKS, *PROJECT_CHECKS}
    assert not [finding for finding in findings if "could not be examined" in finding.message]
