"""The file that FAB executes: all settings of `logins`, and our people's manager where there are people of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import airfoil.runtime.container

pytestmark = pytest.mark.unit
flask = pytest.importorskip("flask")
pytest.importorskip("airflow.providers.fab")

PATH = Path(airfoil.runtime.container.__file__).with_name("webserver_config.py")


def read(monkeypatch, **environ):
    for name in list(os.environ):
        if name.startswith(("LDAP_", "LOGIN_", "OAUTH_", "AIRFOIL_LOGIN")):
            monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    config = flask.Config(".")
    assert config.from_pyfile(PATH, silent=True)
    return config


def test_airflow_keeps_its_own_manager_for_its_own_people(monkeypatch):
    found = read(monkeypatch)
    assert found["AUTH_TYPE"] == 1
    assert "SECURITY_MANAGER_CLASS" not in found


def test_people_of_a_directory_have_ours(monkeypatch):
    found = read(
        monkeypatch,
        AIRFOIL_LOGIN="ldap",
        LDAP_URL="ldaps://ldap",
        LDAP_BIND_DN="cn=r",
        LDAP_BIND_PASSWORD="p",
        LDAP_SEARCH="ou=people",
    )
    assert found["AUTH_LDAP_SERVER"] == "ldaps://ldap"
    assert found["SECURITY_MANAGER_CLASS"].__name__ == "DirectoryUsers"
