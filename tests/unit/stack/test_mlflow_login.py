"""MLflow's file about logins: written when asked for, private, readable as MLflow reads it."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import MlflowSettings
from airfoil.stack import mlflow_login
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


def made(root: Path, *, auth: bool) -> Path:
    root.mkdir()
    project = Project(root)
    project.prepare()
    mlflow_login.write(Settings(mlflow=MlflowSettings(auth=auth)), project)
    return mlflow_login.login_file(project)


def test_no_login_no_file(tmp_path):
    assert not made(tmp_path / "shop", auth=False).exists()


def test_users_are_kept_beside_mlflows_own_database(tmp_path):
    file = made(tmp_path / "100 % Lädchen", auth=True)
    assert file.stat().st_mode & 0o777 == 0o600
    parser = configparser.ConfigParser()
    parser.read(file, encoding="utf-8")
    found = parser["mlflow"]
    assert found["database_uri"] == f"sqlite:///{file.with_name('auth.db')}"
    assert found["default_permission"] == "READ"
    assert found.getint("auth_cache_ttl_seconds") <= 60
    assert set(found) == {"default_permission", "database_uri", "auth_cache_ttl_seconds"}, "and no password"
