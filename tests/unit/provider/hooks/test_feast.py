"""The Feast hook: from a connection to a folder, without a trace in the environment."""

from __future__ import annotations

import json
import os
import sys

import pytest
from airflow.sdk import Connection

from airfoil.clients.feature_store import repository
from airfoil.errors import ConfigurationError, NotFoundError
from airfoil.provider.hooks.feast import FeastHook, folder_from

pytestmark = pytest.mark.unit


def connection(host):
    return Connection(conn_id="feast_default", conn_type="feast", host=host)


@pytest.mark.parametrize(
    ("host", "folder"),
    [
        ("/srv/shop/features", "/srv/shop/features"),
        (" /srv/shop/features/ ", "/srv/shop/features"),
        ("file:///srv/my%20shop/features", "/srv/my shop/features"),
    ],
)
def test_the_host_is_the_folder(host, folder):
    assert str(folder_from(connection(host))) == folder


@pytest.mark.parametrize(
    "host", [None, "", "features", "http://feast.test", "s3://bucket/features", "file://nas/x"]
)
def test_what_is_no_whole_path_is_refused_with_the_connections_name(host):
    with pytest.raises(ConfigurationError, match="'feast_default' is"):
        folder_from(connection(host))


@pytest.fixture
def shop(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_FEAST_SHOP", json.dumps({"conn_type": "feast", "host": str(tmp_path)}))
    return tmp_path


def test_a_folder_that_is_no_repository_is_one_sentence_for_the_test_button(shop):
    hook = FeastHook("feast_shop")
    with pytest.raises(NotFoundError):
        hook.get_conn()
    works, said = hook.test_connection()
    assert not works
    assert f"{shop} has no feature_store.yaml" in said


def test_definitions_are_applied_in_the_connections_folder(shop, monkeypatch):
    monkeypatch.setattr(repository, "apply_definitions", lambda folder: f"applied {folder}")
    assert FeastHook("feast_shop").apply() == f"applied {shop}"


def test_nothing_is_left_in_the_environment_and_feast_is_not_loaded(shop):
    before, loaded = dict(os.environ), "feast" in sys.modules
    FeastHook("feast_shop").test_connection()
    assert dict(os.environ) == before
    assert ("feast" in sys.modules) == loaded
