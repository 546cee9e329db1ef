"""Logs in a bucket: sent whole, joined where a task went on elsewhere, read with those of triggers."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import pytest

from airfoil.errors import NotFoundError, ServiceUnreachableError
from airfoil.provider import task_log_store
from airfoil.provider.task_log_store import BucketLogs

pytestmark = pytest.mark.unit

NAME = "dag_id=d/run_id=r/task_id=t/attempt=1.log"


class Shelf:
    """A bucket in memory."""

    title = "s3://logs"

    def __init__(self):
        self.files = {}
        self.gone = False

    def items(self, prefix=""):
        self._answer()
        return [
            SimpleNamespace(name=name, modified=modified)
            for modified, name in enumerate(self.files)
            if name.startswith(prefix)
        ]

    @contextlib.contextmanager
    def open(self, name):
        self._answer()
        if name not in self.files:
            raise NotFoundError(f"There is no {name}.")
        yield io.BytesIO(self.files[name])

    def put(self, name, content):
        self._answer()
        self.files[name] = content.read()

    def _answer(self):
        if self.gone:
            raise ServiceUnreachableError("s3://logs cannot be used: gone.", "Check the network.")


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def logs(tmp_path, shelf):
    return BucketLogs(tmp_path, lambda: shelf)


def write(folder, text, name=NAME):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def test_a_log_is_sent_and_nothing_is_left_on_the_worker(logs, shelf, tmp_path):
    write(tmp_path, b"one\n")
    logs.upload(NAME)
    assert list(shelf.files.values()) == [b"one\n"]
    assert list(tmp_path.iterdir()) == []
    assert logs.read(NAME, None)[1] == ["one\n"]


def test_the_first_and_the_tenth_try_are_two(logs, tmp_path):
    for attempt in (b"1", b"10"):
        write(tmp_path, attempt, NAME.replace("attempt=1", f"attempt={attempt.decode()}"))
        logs.upload(NAME.replace("attempt=1", f"attempt={attempt.decode()}"))
    assert logs.read(NAME, None)[1] == ["1"]


def test_logs_of_others_stay(logs, tmp_path):
    write(tmp_path, b"one\n")
    other = write(tmp_path, b"two\n", NAME.replace("task_id=t", "task_id=u"))
    logs.upload(NAME)
    assert other.read_bytes() == b"two\n"


def test_a_task_that_went_on_elsewhere_has_both_parts_in_order(logs, shelf, tmp_path):
    write(tmp_path, b"before it was deferred\n")
    logs.upload(NAME)
    write(tmp_path, b"and after\n")
    logs.upload(NAME)
    assert logs.read(NAME, None)[1] == ["before it was deferred\n", "and after\n"]


def test_a_log_that_has_grown_is_not_doubled(logs, shelf, tmp_path):
    began = b"2026-11-22T22:00:06.916084Z a first line " + bytes(100) + b"\n"
    write(tmp_path, began)
    logs.upload(NAME)
    write(tmp_path, began + b"two\n")
    logs.upload(NAME)
    assert list(shelf.files.values()) == [began + b"two\n"]


def test_a_log_that_cannot_be_sent_stays_and_fails_nothing(logs, shelf, tmp_path, caplog):
    path = write(tmp_path, b"one\n")
    shelf.gone = True
    logs.upload(NAME)
    assert path.read_bytes() == b"one\n"
    assert "stays on this worker" in caplog.text


def test_a_log_that_was_never_written_fails_nothing(logs, shelf):
    logs.upload(NAME)
    assert shelf.files == {}


def test_reading_gives_the_task_and_its_triggers(logs, shelf):
    shelf.files = {NAME: b"task\n", f"{NAME}.trigger.7.log": b"trigger \xff\n", "dag_id=e/x.log": b"no\n"}
    sources, texts = logs.read(NAME, None)
    assert sources == [f"s3://logs/{NAME}", f"s3://logs/{NAME}.trigger.7.log"]
    assert texts == ["task\n", "trigger \ufffd\n"]


def test_what_is_not_there_yet_is_nothing(logs):
    assert logs.read(NAME, None) == ([], None)


def test_a_store_that_is_away_is_told_in_the_place_of_the_log(logs, shelf):
    shelf.gone = True
    sources, texts = logs.read(NAME, None)
    assert sources == ["The log could not be read: s3://logs cannot be used: gone. Check the network."]
    assert texts is None


def test_without_a_bucket_logs_stay_where_they_are(monkeypatch):
    monkeypatch.delenv("AIRFLOW__AIRFOIL__TASK_LOGS", raising=False)
    assert task_log_store._configured() is None


def test_airflow_finds_it_where_the_configuration_names_it(monkeypatch, tmp_path):
    import importlib

    from airflow._shared.logging.remote import RemoteLogIO, discover_remote_log_handler
    from airflow._shared.module_loading import import_string

    monkeypatch.setenv("AIRFLOW__AIRFOIL__TASK_LOGS", "s3://airflow-logs")
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    importlib.reload(task_log_store)
    path = "airfoil.provider.task_log_store.LOGGING"
    found, connection = discover_remote_log_handler(path, path, import_string)
    assert isinstance(found, task_log_store.BucketLogs)
    assert connection is None
    for name in ("upload", "read", "processors"):
        assert hasattr(RemoteLogIO, name)
        assert hasattr(found, name)
    monkeypatch.delenv("AIRFLOW__AIRFOIL__TASK_LOGS")
    importlib.reload(task_log_store)
