from __future__ import annotations

import datetime as dt
import subprocess
import sys
from types import SimpleNamespace

import pytest

from airfoil.clients.feature_store import engine, plan, window
from airfoil.clients.feature_store.engine import StreamingEngine
from airfoil.clients.feature_store.latest_rows import Limits
from airfoil.clients.feature_store.window import Written
from airfoil.errors import StorageError

pytestmark = pytest.mark.unit

TASK = SimpleNamespace(
    feature_view=SimpleNamespace(name="v"),
    start_time=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    end_time=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
)


def made(**more):
    return StreamingEngine(
        repo_config=None, offline_store=None, online_store=None, type=engine.CLASS_PATH, **more
    )


def test_it_has_everything_that_feasts_engines_have():
    from feast.infra.compute_engines.base import ComputeEngine

    wanted = {name for name in vars(ComputeEngine) if not name.startswith("_")} - {"get_execution_context"}
    assert wanted <= set(dir(StreamingEngine))


def test_feast_finds_the_class_and_its_settings():
    from feast.infra.passthrough_provider import importer
    from feast.repo_config import get_batch_engine_config_from_type

    assert importer.import_class(*engine.CLASS_PATH.rsplit(".", 1)) is StreamingEngine
    settings = get_batch_engine_config_from_type(engine.CLASS_PATH)(type=engine.CLASS_PATH, memory_mib=7)
    assert (settings.memory_mib, settings.threads, settings.spill_folder) == (7, 2, None)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        engine.Nonsense  # noqa: B018 - the access is the test


def test_settings_of_the_file_become_limits():
    found = made(memory_mib=7, threads=1, spill_folder="/tmp/spill").limits
    assert (found.memory_mib, found.threads, str(found.spill_folder)) == (7, 1, "/tmp/spill")
    assert made().limits == Limits()


def test_a_window_is_a_job_that_succeeded(monkeypatch):
    monkeypatch.setattr(plan, "reason_for_feast", lambda *_: None)
    monkeypatch.setattr(window, "write", lambda *_, **__: Written("v", 2, 1, 0.1))
    found = made()
    (job,) = found.materialize(None, TASK)
    assert (job.status().name, job.error()) == ("SUCCEEDED", None)
    assert found.written == [Written("v", 2, 1, 0.1)]


def test_an_error_is_in_the_job(monkeypatch):
    def fails(*_, **__):
        raise StorageError("full", "")

    monkeypatch.setattr(plan, "reason_for_feast", lambda *_: None)
    monkeypatch.setattr(window, "write", fails)
    (job,) = made().materialize(None, [TASK])
    assert job.status().name == "ERROR"
    assert isinstance(job.error(), StorageError)


def test_importing_it_does_not_import_feast():
    rooms = ", ".join(f"airfoil.clients.feature_store.{name}" for name in ("engine", "store"))
    code = f"import sys, {rooms}; assert 'feast' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
