from __future__ import annotations

import json

import pytest

from airfoil.stack import state as states
from airfoil.stack.state import ServiceState, StackState

pytestmark = pytest.mark.unit


@pytest.fixture
def stack():
    row = ServiceState(
        "mlflow", "MLflow", "service", "ready", 5.0, pid=7, pid_started=1.5, url="http://127.0.0.1:5000"
    )
    return StackState(
        project="/p",
        stack_id="abc",
        engine="plain",
        phase="ready",
        started_at=1.0,
        ready_at=9.0,
        updated_at=9.0,
        manager_pid=3,
        manager_started=0.5,
        notices=("one",),
        budgets={"memory_mib": 1024.0},
        services=(row,),
    )


def test_what_is_written_is_read_again(tmp_path, stack):
    path = tmp_path / "state.json"
    states.save(path, stack)
    assert states.load(path) == stack
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_services_are_found_by_name(stack):
    assert stack.service("mlflow") is stack.services[0]
    assert stack.service("nobody") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "{}",
        '{"schema": 1}',
        '{"schema": 2}',
        "\x00",
        '{"schema": 1, "services": 3}',
    ],
)
def test_garbled_text_is_no_state(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text)
    assert states.load(path) is None


def test_no_file_and_no_text_are_no_state(tmp_path):
    assert states.load(tmp_path / "none.json") is None
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{}")
    assert states.load(tmp_path / "bytes") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("phase", "asleep"), ("started_at", "soon"), ("services", [{"name": "x"}]), ("budgets", 5)],
)
def test_a_wrong_value_is_no_state(tmp_path, stack, key, value):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(stack.to_dict() | {key: value}))
    assert states.load(path) is None


def test_keys_of_a_newer_release_are_left_out(stack):
    assert StackState.from_dict(stack.to_dict() | {"later": 1}) == stack


def test_a_failed_write_leaves_the_old_state_and_no_litter(tmp_path, stack, monkeypatch):
    path = tmp_path / "state.json"
    states.save(path, stack)

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OSError, match="No space"):
        states.save(path, stack)
    assert states.load(path) == stack
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
