"""What tests of logins share: an Airflow with FAB as a server has it, its accounts, and a browser's way in."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
from flask_login import encode_cookie
from tests.integration.running_airflow import RunningAirflow
from werkzeug.security import generate_password_hash

import airfoil.runtime.container

CONFIG_FILE = Path(airfoil.runtime.container.__file__).with_name("webserver_config.py")
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
LOCAL = ("admin", "known-here-alone")
"""The first administrator of a server."""
SESSION_KEY = "of-the-api-server-alone"


@contextlib.contextmanager
def fab_airflow(migrated, folder: Path, **settings: str) -> Iterator[RunningAirflow]:
    """An API server with FAB, told of logins as the Compose server tells it, and its first administrator."""
    airflow = RunningAirflow.prepare(
        migrated,
        folder,
        AIRFLOW__CORE__AUTH_MANAGER=FAB,
        AIRFLOW__FAB__CONFIG_FILE=str(CONFIG_FILE),
        AIRFLOW__FAB__AUTH_RATE_LIMIT="100 per second",
        AIRFLOW__FAB__SESSION_MAX_LIFETIME_MINUTES="720",
        AIRFLOW__FAB__CACHE_TTL="1",
        AIRFOIL_SESSION_KEY=SESSION_KEY,
        # Of this machine, perhaps; `requests` lets it win over what it is told.
        REQUESTS_CA_BUNDLE="",
        CURL_CA_BUNDLE="",
        **settings,
    )
    try:
        airflow.start("api-server")
        add_local(airflow, *LOCAL)
        yield airflow
    finally:
        airflow.stop()


def add_local(airflow: RunningAirflow, name: str, password: str) -> None:
    """Make an administrator with a password in Airflow's own database."""
    with contextlib.closing(sqlite3.connect(airflow.home.database, timeout=60)) as database, database:
        row = database.execute(
            "insert into ab_user (first_name, last_name, username, password, active, email)"
            " values ('The', 'Administrator', ?, ?, 1, ?)",
            (name, generate_password_hash(password), f"{name}@localhost"),
        )
        database.execute(
            "insert into ab_user_role (user_id, role_id) select ?, id from ab_role where name = 'Admin'",
            (row.lastrowid,),
        )


def switch_off(airflow: RunningAirflow, name: str) -> None:
    """Do what an administrator does on the page of users."""
    with contextlib.closing(sqlite3.connect(airflow.home.database, timeout=60)) as database, database:
        assert database.execute("update ab_user set active = 0 where username = ?", (name,)).rowcount == 1


def names(airflow: RunningAirflow) -> set[str]:
    """All accounts of Airflow."""
    return {name for (name,) in airflow.home.rows("select username from ab_user")}


def roles(airflow: RunningAirflow, name: str) -> set[str]:
    """The roles of an account."""
    with contextlib.closing(sqlite3.connect(airflow.home.database, timeout=60)) as database:
        found = database.execute(
            "select r.name from ab_role r join ab_user_role l on l.role_id = r.id join ab_user u on u.id = l.user_id"
            " where u.username = ?",
            (name,),
        )
        return {role for (role,) in found}


def token_for_cookie(airflow: RunningAirflow, name: str, key: str) -> str:
    """The token that a browser gets with nothing but a cookie, signed with this key, that says who it is."""
    numbers = dict(airflow.home.rows("select username, id from ab_user"))
    with new_browser(cookies={"remember_token": encode_cookie(str(numbers[name]), key=key)}) as browser:
        return browser.get(f"{airflow.url}/auth/").cookies.get("_token", "")


def token_status(airflow: RunningAirflow, name: str, password: str) -> int:
    """What a program gets that asks for a token."""
    body = {"username": name, "password": password}
    return httpx.post(f"{airflow.url}/auth/token", json=body, trust_env=False, timeout=120).status_code


def door(airflow: RunningAirflow, browser: httpx.Client, path: str = "/mlflow/") -> tuple[int, str, str]:
    """What the proxy hears of a browser: status, name, role."""
    said = browser.get(f"{airflow.url}/airfoil/door", headers={"X-Forwarded-Uri": path})
    return said.status_code, said.headers.get("X-Airfoil-User", ""), said.headers.get("X-Airfoil-Role", "")


def fill_form(airflow: RunningAirflow, browser: httpx.Client, name: str, password: str) -> httpx.Response:
    """Log in as a person does who wanted to see MLflow; the answer to the form."""
    page = browser.get(f"{airflow.url}/auth/login/", params={"next": "/mlflow/"})
    (mark,) = set(re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page.text))
    form = {"csrf_token": mark, "username": name, "password": password}
    return browser.post(page.url, data=form)


def new_browser(**options) -> httpx.Client:
    """Nobody yet."""
    return httpx.Client(trust_env=False, timeout=120, **options)
