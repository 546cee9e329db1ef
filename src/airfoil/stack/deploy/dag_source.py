"""Where a server's DAG files come from: the project's folder, or a branch of a git repository that Airflow follows.

The bundle keeps the name that Airflow gives the folder, so that the history of DAGs goes on after a change. Pure:
values of .env in, Airflow's configuration and its connection out; the token goes into the connection alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE = "dags-folder"
CONNECTION = "dags_git"
CLASS = "airflow.providers.git.bundles.git.GitDagBundle"
PACKAGES = "git"
"""Debian's name of what the image needs for it."""
READERS = (
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
)
"""Services that look for DAG files where the setting says; the worker of maintenance has its own."""
_SCHEMES = ("https", "http", "file")
_FEWEST_SECONDS = 5


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return Airflow's option; nothing when DAG files come from the folder."""
    if not given.get("DAGS_GIT_URL"):
        return {}
    _check(given)
    seconds = given["DAGS_GIT_SECONDS"]
    options = {
        "tracking_ref": given["DAGS_GIT_BRANCH"],
        "subdir": given["DAGS_GIT_FOLDER"].strip("/") or None,
        "git_conn_id": CONNECTION,
        "refresh_interval": int(seconds),
    }
    bundle = {"name": BUNDLE, "classpath": CLASS, "kwargs": options}
    return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle])}


def connection(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the connection to the repository, with the token; nothing when DAG files come from the folder."""
    if not given.get("DAGS_GIT_URL"):
        return {}
    found = {"conn_type": "git", "host": given["DAGS_GIT_URL"]}
    if given["DAGS_GIT_TOKEN"]:
        found |= {"login": given["DAGS_GIT_USER"], "password": given["DAGS_GIT_TOKEN"]}
    return {CONNECTION: found}


def _check(given: Mapping[str, str]) -> None:
    parts = urlsplit(given["DAGS_GIT_URL"])
    if parts.scheme not in _SCHEMES:
        raise SettingsError(
            "DAGS_GIT_URL in .env is not an address that begins with https://.",
            "Take the repository's https address, and a token that may read it.",
        )
    if parts.password or parts.username:
        raise SettingsError(
            "DAGS_GIT_URL in .env holds a login, which would be seen in logs.",
            "Write the token into DAGS_GIT_TOKEN and its name into DAGS_GIT_USER.",
        )
    if not given["DAGS_GIT_BRANCH"] or ".." in given["DAGS_GIT_FOLDER"].split("/"):
        raise SettingsError(
            "DAGS_GIT_BRANCH in .env is empty, or DAGS_GIT_FOLDER leads out of the repository.",
            "Name a branch or tag, and a folder in it.",
        )
    seconds = given["DAGS_GIT_SECONDS"]
    if not seconds.isdecimal() or int(seconds) < _FEWEST_SECONDS:
        raise SettingsError(
            "DAGS_GIT_SECONDS in .env is not a number of seconds.", f"{_FEWEST_SECONDS} is the least."
        )
