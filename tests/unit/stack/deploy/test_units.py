"""Units of systemd: what is filled in, and how it is quoted."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError
from airfoil.settings import load
from airfoil.stack.deploy import units
from airfoil.stack.deploy.units import Owner
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

ANNE = Owner("anne", Path("/home/anne"))


def shop(root, toml=""):
    root.mkdir(parents=True)
    project = Project(root)
    project.toml.write_text(f'[project]\nname = "shop"\n{toml}', encoding="utf-8")
    return project, load(root, {})


def values(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_the_embedded_stack_is_started_as_a_person_would(tmp_path):
    project, settings = shop(tmp_path / "shop")
    text = units.embedded(project, settings, ANNE, tmp_path / "shop/backups", python="/venv/bin/python")
    command = f'"/venv/bin/python" -m airfoil --project "{project.root}"'
    assert values(text, "ExecStart") == [f"{command} up"]
    assert values(text, "ExecStop") == [f"{command} down"]
    assert values(text, "User") == ["anne"]
    assert values(text, "PIDFile") == [str(project.manager_pid)]
    assert values(text, "WorkingDirectory") == [str(project.root)]
    assert values(text, "Conflicts") == ["airfoil-shop-compose.service"]
    assert units.name_of(settings, units.COMPOSE) == "airfoil-shop-compose.service"
    assert values(text, "ReadWritePaths") == [f'"-{project.root}"'], "backups are inside of it"
    assert "@NAME@" not in text


def test_every_folder_that_the_settings_name_may_be_written_to(tmp_path):
    toml = f'[mlflow]\nartifacts = "{tmp_path}/models"\ndatabase = "sqlite:///{tmp_path}/db/mlflow.db"\n'
    project, settings = shop(tmp_path / "shop", toml)
    (found,) = values(units.embedded(project, settings, ANNE, tmp_path / "kept"), "ReadWritePaths")
    folders = {part.strip('"') for part in found.split()}
    assert folders == {f"-{tmp_path / name}" for name in ("shop", "models", "db", "kept")}


def test_where_up_installs_packages_it_may(tmp_path, monkeypatch):
    project, settings = shop(tmp_path / "shop")
    monkeypatch.setattr("sys.prefix", "/opt/venv")
    assert "/opt/venv" not in units.embedded(project, settings, ANNE, None, python="/usr/bin/python3")
    (project.root / "airfoil.lock").write_text("")
    assert '"-/opt/venv"' in units.embedded(project, settings, ANNE, None, python="/usr/bin/python3")


def test_a_path_with_signs_of_systemd_means_itself(tmp_path):
    project, settings = shop(tmp_path / 'a 100% "$HOME" shop')
    text = units.embedded(project, settings, ANNE, None, python="/bin/python")
    quoted = str(project.root).replace("%", "%%").replace('"', '\\"')
    (start,) = values(text, "ExecStart")
    assert f'--project "{quoted.replace("$", "$$")}" up' in start
    assert values(text, "WorkingDirectory") == [str(project.root).replace("%", "%%")]
    assert values(text, "ReadWritePaths") == [f'"-{quoted}"'], "no variables there"


def test_the_compose_stack_is_stopped_and_not_thrown_away(tmp_path):
    _, settings = shop(tmp_path / "shop")
    text = units.compose(settings, tmp_path / "shop/deploy/compose", ANNE, "/usr/bin/docker")
    assert values(text, "ExecStart") == ['"/usr/bin/docker" compose up --detach --remove-orphans']
    assert values(text, "ExecStop") == ['"/usr/bin/docker" compose stop']
    assert values(text, "WorkingDirectory") == [str(tmp_path / "shop/deploy/compose")]
    assert values(text, "Conflicts") == ["airfoil-shop.service"]
    assert values(text, "TimeoutStopSec") == ["infinity"], "workers have as long as .env says"
    assert values(text, "ReadWritePaths") == ['"-/home/anne/.docker"']


def test_the_owner_is_whose_folder_it_is(tmp_path, monkeypatch):
    assert Owner.of(tmp_path).home.is_absolute()

    def unknown(_):
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(ConfigurationError, match=f"belongs to user {os.getuid()}, who has no name"):
        Owner.of(tmp_path)
