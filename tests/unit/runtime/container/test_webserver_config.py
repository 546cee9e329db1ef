"""The file that FAB executes: all settings of `logins`, and our people's manager where there are people of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import airfoil.runtime.container

pytestmark = pytest.mark.unit
flask = pytest.importorskip("flask")
flask_login = pytest.importorskip("flask_login")
pytest.importorskip("airflow.providers.fab")

PATH = Path(airfoil.runtime.container.__file__).with_name("webserver_config.py")
KEY_OF_WORKERS = "of-airflow-s-api-and-of-every-worker"


def read(monkeypatch, **environ):
    for name in list(os.environ):
        if name.startswith(("LDAP_", "LOGIN_", "OAUTH_", "AIRFOIL_LOGIN", "AIRFOIL_SESSION")):
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


def airflows_app(monkeypatch, **environ):
    """Made as FAB makes it: Airflow's key first, then our file; who is let in is flask_login's affair."""
    app = flask.Flask(__name__)
    app.secret_key = KEY_OF_WORKERS
    app.config.update(read(monkeypatch, **environ))
    people = flask_login.LoginManager(app)

    @people.user_loader
    def find(number):
        person = flask_login.UserMixin()
        person.id = number
        return person

    @app.get("/")
    def say_who():
        return flask_login.current_user.get_id() or "nobody"

    return app


def remembered(app, key):
    """Who comes with nothing but a cookie that says he is the first user."""
    browser = app.test_client()
    with app.app_context():
        cookie = flask_login.encode_cookie("1", key=key)
    browser.set_cookie("remember_token", cookie)
    return browser.get("/").text


@pytest.mark.parametrize("environ", [{"AIRFOIL_SESSION_KEY": "of-the-api-server-alone"}, {}])
def test_a_login_that_is_signed_with_the_key_of_workers_is_refused(monkeypatch, environ):
    assert remembered(airflows_app(monkeypatch, **environ), KEY_OF_WORKERS) == "nobody"


def test_the_key_of_logins_is_the_one_that_was_given(monkeypatch):
    key = "of-the-api-server-alone"
    assert remembered(airflows_app(monkeypatch, AIRFOIL_SESSION_KEY=key), key) == "1"
