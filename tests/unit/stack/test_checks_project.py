"""Doctor on files of a project: settings, permissions, secrets, who may reach it, DAG files."""

import json
import os
from dataclasses import replace

import pytest

from airfoil.errors import SettingsError
from airfoil.stack import secrets
from airfoil.stack.checks_project import (
    check_dags,
    check_exposure,
    check_permissions,
    check_secrets,
    check_settings,
)
from airfoil.stack.machine import Disk

pytestmark = pytest.mark.unit


def test_a_healthy_project_has_nothing_bad(world):
    for check in (check_settings, check_permissions, check_secrets, check_exposure, check_dags):
        found = list(check(world.case))
        assert found
        assert world.bad(found) == []


def test_settings_that_cannot_be_loaded_are_findings_each(world):
    error = SettingsError("airfoil.toml:1: a.", "Correct it.", details=["airfoil.toml:2: b."])
    case = replace(world.case, settings=None, settings_error=error)
    assert world.bad(check_settings(case)) == [
        ("error", "airfoil.toml:1: a."),
        ("error", "airfoil.toml:2: b."),
    ]


def test_an_engine_that_is_safe_on_linux_only(world):
    world.settings('[stack]\nengine = "preloaded"\n')
    assert world.bad(check_settings(world.case)) == []
    world.change(platform="darwin")
    assert [level for level, _ in world.bad(check_settings(world.case))] == ["warn"]


def test_files_of_another_user(world, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: world.project.state.stat().st_uid + 54321)
    ((level, message),) = world.bad(check_permissions(world.case))
    assert level == "error"
    assert "belongs to" in message


def test_a_folder_that_may_not_be_written_to(world, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _mode: path != world.project.root)
    assert world.bad(check_permissions(world.case)) == [
        ("error", f"The permissions of {world.project.root} forbid to use it.")
    ]
    world.change(disk=lambda _folder: Disk(free_mib=50_000, read_only=True))
    assert world.bad(check_permissions(world.case)) == []  # the check of the disk says it


def test_a_state_folder_that_is_open_to_others(world):
    world.project.state.chmod(0o755)
    assert [level for level, _ in world.bad(check_permissions(world.case))] == ["warn"]
    assert world.project.state.stat().st_mode & 0o777 == 0o755  # doctor changes nothing


def test_settings_that_others_may_change_or_read_a_password_from(world):
    world.settings("[airflow]\ndatabase = 'postgresql://u:geheim@db/x'\n")
    world.project.toml.chmod(0o646)
    (first, second) = world.bad(check_permissions(world.case))
    assert (first[0], "may change" in first[1]) == ("error", True)
    assert (second[0], "holds a password" in second[1]) == ("warn", True)
    world.settings("")
    world.project.toml.chmod(0o644)
    assert world.bad(check_permissions(world.case)) == []


def test_secrets_that_others_may_read(world):
    secrets.ensure(world.project)
    world.project.secrets.chmod(0o640)
    world.project.passwords.chmod(0o604)
    found = world.bad(check_secrets(world.case))
    assert [level for level, _ in found] == ["error", "error"]
    assert "(mode 0640)" in found[0][1]
    assert "passwords.json (mode 0604)" in found[1][1]
    assert world.project.secrets.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is cut off"),
        ("", "is empty"),
        ("{}", "holds no fernet_key"),
        (json.dumps({"admin_password": "airflow"}), "shorter than 16"),
    ],
)
def test_damaged_secrets(world, content, words):
    world.project.secrets.write_text(content)
    world.project.secrets.chmod(0o600)
    ((level, message),) = world.bad(check_secrets(world.case))
    assert (level, words in message) == ("error", True)
    assert world.project.secrets.read_text() == content


def test_services_that_others_can_reach(world):
    world.settings("[mlflow]\nhost = '0.0.0.0'\n[page]\nhost = 'localhost'\n[airflow]\nhost = '::1'\n")
    assert [level for level, _ in world.bad(check_exposure(world.case))] == ["error", "warn"]
    world.settings("[mlflow]\nhost = 'laptop.lan'\nauth = true\n")
    assert world.bad(check_exposure(world.case)) == [("warn", "mlflow listens on laptop.lan, without TLS.")]


def test_no_folder_for_dags(world):
    world.project.dags.rmdir()
    assert [level for level, _ in world.bad(check_dags(world.case))] == ["warn"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"def f(:\n", "kaputt.py:1 is not valid Python: "),
        (b"x = 1\n  y = 2\n", "kaputt.py:2 is not valid Python: unexpected indent."),
        (b"\x00\x01", "kaputt.py is not valid Python: "),
        (b"x = '\xff'\n", "is not valid Python: "),
        (b"# -*- coding: nonsense -*-\n", "is not valid Python: "),
        (b"(" * 5000, "is not valid Python: "),
    ],
)
def test_a_dag_file_that_does_not_parse(world, source, words):
    (world.project.dags / "kaputt.py").write_bytes(source)
    (world.project.dags / "gut.py").write_text('pattern = "\\d"\n')  # a warning of Python, not an error
    ((level, message),) = world.bad(check_dags(world.case))
    assert level == "error"
    assert words in message


def test_nothing_of_a_dag_file_is_run(world):
    mark = world.project.root / "mark"
    (world.project.dags / "böse.py").write_text(f"open({str(mark)!r}, 'w')\n")
    assert world.bad(check_dags(world.case)) == []
    assert not mark.exists()


def running(world) -> None:
    world.state(world.service("api-server", 200))
    world.alive(100, 200)


def test_a_running_airflow_is_asked(world):
    running(world)
    file = world.project.dags / "kaputt.py"
    world.import_errors = [
        {
            "filename": str(file),
            "stack_trace": (
                f'Traceback (most recent call last):\n  File "{file}", line 3, in <module>\n    import nix\n'
                "ModuleNotFoundError: No module named 'nix'\n"
            ),
        },
        {"filename": "other.py", "stack_trace": ""},
        {},
    ]
    findings = list(check_dags(world.case))
    assert world.bad(findings) == [
        ("error", f"{file}:3 does not import: ModuleNotFoundError: No module named 'nix'."),
        ("error", "other.py does not import: no reason given."),
        ("error", "A DAG file does not import: no reason given."),
    ]
    assert findings[0].fix == "Add the package it comes from (`airfoil add nix`), or correct the import."


def test_a_profile_with_an_environment_in_the_wrong_task_is_told_what_to_write(world):
    running(world)
    trace = (
        "TypeError: Invalid arguments were passed to _PythonDecoratedOperator (task_id: fit). "
        "Invalid arguments were:\n**kwargs: {'python': '/p/.airfoil/environments/heavy/bin/python'}\n"
    )
    world.import_errors = [{"filename": "a.py", "stack_trace": trace}]
    (finding,) = check_dags(world.case)
    assert finding.message == "a.py does not import: the task fit has a profile with an isolated environment."
    assert finding.fix.startswith("Write `@task.external_python` for it")


def test_a_running_airflow_without_complaints(world):
    running(world)
    assert [finding.message for finding in check_dags(world.case)] == ["Every DAG file imports."]


def test_hundreds_of_broken_files_are_counted(world):
    running(world)
    world.import_errors = [{"filename": f"{number}.py", "stack_trace": "E: x"} for number in range(300)]
    found = world.bad(check_dags(world.case))
    assert len(found) == 21
    assert found[-1][1] == "280 more DAG files do not import."


def test_an_airflow_that_is_still_starting_is_not_asked(world):
    world.state(world.service("api-server", 200, state="starting"))
    world.alive(100, 200)
    world.import_errors = [{"filename": "x.py"}]
    assert world.bad(check_dags(world.case)) == []
