"""The specification file: what goes in comes out, and every change of it is noticed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from airfoil.stack.service import Probe, Service, Spec, join_paths

pytestmark = pytest.mark.unit

FULL = Service(
    name="mlflow",
    title="MLflow",
    argv=("python", "-m", "x", "--dir", "/home/ä b/项目"),
    probe=Probe("http", "http://127.0.0.1:1/h", expect={"a": {"b": [1, None, "ü"]}}),
    kind="helper",
    env={"A": "1", "PASSWORD": 'quote " and \n line'},
    needs=("setup",),
    uses=("api-server",),
    stage="ml",
    module="m",
    fallback_argv=("plain",),
    port=5000,
    url="http://127.0.0.1:5000",
    version="3.17.2",
    stop_signal="SIGINT",
    stop_timeout_seconds=5.0,
    start_timeout_seconds=60.0,
    memory_budget_mib=260,
    log="/l",
)
BARE = Service(name="page", title="Page", argv=("true",), probe=Probe("exit"))
SPEC = Spec(
    project="/p",
    stack_id="abc",
    engine="preloaded",
    environment={"X": "1"},
    services=(FULL, BARE),
    preload={"airflow": ("a", "b"), "ml": ("c",)},
    budgets={"memory_mib": 1024},
    notices=("One.",),
    log_max_bytes=7,
    log_backups=1,
)


@pytest.mark.parametrize("row", [FULL, BARE])
def test_a_service_survives_json(row):
    assert Service.from_dict(json.loads(json.dumps(row.to_dict()))) == row


def test_a_specification_survives_json():
    again = Spec.from_json(SPEC.to_json())
    assert again == SPEC
    assert again.to_json() == SPEC.to_json()
    assert again.digest() == SPEC.digest()


def test_the_order_of_services_and_of_layers_is_kept():
    turned = replace(SPEC, services=(BARE, FULL), preload={"z": ("1",), "a": ("2",)})
    again = Spec.from_json(turned.to_json())
    assert [row.name for row in again.services] == ["page", "mlflow"]
    assert list(again.preload) == ["z", "a"], "layers are loaded in this order"


@pytest.mark.parametrize(
    "changed",
    [
        replace(SPEC, environment={"X": "2"}),
        replace(SPEC, environment={"X": "1", "Y": ""}),
        replace(SPEC, engine="plain"),
        replace(SPEC, services=(FULL,)),
        replace(SPEC, services=(BARE, FULL)),
        replace(SPEC, services=(replace(FULL, env={}), BARE)),
        replace(SPEC, services=(replace(FULL, argv=(*FULL.argv, "--auth")), BARE)),
        replace(SPEC, services=(replace(FULL, version="3.17.3"), BARE)),
        replace(SPEC, preload={"airflow": ("b", "a"), "ml": ("c",)}),
        replace(SPEC, log_max_bytes=8),
        replace(SPEC, settings="another digest"),
    ],
)
def test_every_change_changes_the_digest(changed):
    assert changed.digest() != SPEC.digest()


def test_what_is_merely_said_restarts_nothing():
    assert replace(SPEC, notices=("A snapshot was made.",)).digest() == SPEC.digest()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"services": 1}', '{"services": [{}]}'])
def test_a_garbled_file_is_an_error_that_the_launcher_expects(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Spec.from_json(text)


def test_a_service_by_its_name():
    assert SPEC.service("page") is BARE
    with pytest.raises(StopIteration):
        SPEC.service("ghost")


@pytest.mark.parametrize(
    ("ours", "theirs", "joined"),
    [("/a", "", "/a"), ("/a", "/b:/c", "/a:/b:/c"), ("/a", "/b:/a:", "/a:/b"), ("", "", "")],
)
def test_folders_of_modules_are_joined_ours_first_and_each_once(ours, theirs, joined):
    assert join_paths(ours, theirs) == joined


def test_a_process_gets_our_environment_and_keeps_its_users_module_folders():
    spec = replace(SPEC, environment={"X": "1", "PYTHONPATH": "/p/src"})

    assert spec.environment_in({"X": "0", "Y": "2", "PYTHONPATH": "/mine"}) == {
        "X": "1",
        "Y": "2",
        "PYTHONPATH": "/p/src:/mine",
    }
    assert SPEC.environment_in({"PYTHONPATH": "/mine"})["PYTHONPATH"] == "/mine"
