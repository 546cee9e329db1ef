"""A worker that shares what its tasks import: what is loaded first, what forks get, and what it becomes."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from types import ModuleType

import pytest

from airfoil.runtime.container import worker

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _thaw():
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def forks(monkeypatch):
    found = {}
    monkeypatch.setattr(os, "register_at_fork", lambda **given: found.update(given))
    return found


def test_modules_of_the_project_are_loaded_with_ours_and_a_missing_one_is_told(monkeypatch, forks, capsys):
    monkeypatch.setattr(worker, "MODULES", ("airfoil.no_such_module",))
    sys.modules.pop("colorsys", None)
    worker.preload("colorsys, ,airfoil.none_either")
    assert "colorsys" in sys.modules
    said = capsys.readouterr().err
    assert "skipped airfoil.no_such_module" in said
    assert "skipped airfoil.none_either" in said


def test_what_is_loaded_is_out_of_the_collectors_sight_and_the_collector_works_on(monkeypatch, forks):
    monkeypatch.setattr(worker, "MODULES", ())
    worker.preload("")
    assert gc.get_freeze_count() > 0
    assert gc.isenabled()


def test_each_forked_process_has_random_numbers_of_its_own(monkeypatch, forks):
    monkeypatch.setattr(worker, "MODULES", ())
    worker.preload("")
    seeded = []
    numpy_random = ModuleType("numpy.random")
    numpy_random.seed = lambda: seeded.append(True)
    monkeypatch.setitem(sys.modules, "numpy.random", numpy_random)
    forks["after_in_child"]()
    assert seeded == [True]


class Signal:
    def __init__(self):
        self.connected = []

    def connect(self, receiver, weak):
        assert weak is False, "else nobody holds it, and it is gone at once"
        self.connected.append(receiver)


@pytest.fixture
def signals(monkeypatch):
    celery, found = ModuleType("celery"), ModuleType("celery.signals")
    found.worker_ready, found.heartbeat_sent, found.worker_process_init = Signal(), Signal(), Signal()
    celery.signals = found
    monkeypatch.setitem(sys.modules, "celery", celery)
    monkeypatch.setitem(sys.modules, "celery.signals", found)
    return found


def test_the_file_of_an_earlier_worker_is_no_heartbeat_of_this_one(signals, tmp_path):
    file = tmp_path / "beat"
    file.touch()
    worker.beat_into(file)
    assert not file.exists()


@pytest.mark.parametrize("name", ["worker_ready", "heartbeat_sent"])
def test_a_heartbeat_touches_the_file(signals, tmp_path, name):
    file = tmp_path / "beat"
    worker.beat_into(file)
    (receiver,) = getattr(signals, name).connected
    receiver(sender=object(), signal=None)
    assert file.exists()


def test_it_becomes_airflows_own_worker(signals, forks, monkeypatch, tmp_path):
    became = []
    main = ModuleType("airflow.__main__")
    main.main = lambda: became.append(list(sys.argv))
    monkeypatch.setitem(sys.modules, "airflow.__main__", main)
    monkeypatch.setattr(worker, "MODULES", ())
    monkeypatch.setattr(worker, "HEARTBEAT", tmp_path / "beat")
    monkeypatch.setattr(sys, "argv", ["x", "--queues", "ml,io", "--concurrency", "3"])
    worker.main()
    assert became == [["airflow", "celery", "worker", "--queues", "ml,io", "--concurrency", "3"]]


def test_each_process_of_the_pool_notices_the_end_of_its_task_and_the_task_has_pythons_own_waits(
    signals, forks, monkeypatch
):
    installed = []
    monkeypatch.setattr(worker.waking_select, "install", lambda: installed.append("pool"))
    worker.notice_ends()
    assert installed == [], "the worker itself serves Celery's own loop"
    (receiver,) = signals.worker_process_init.connected
    receiver(sender=None, signal=None)
    assert installed == ["pool"]
    assert forks["after_in_child"] is worker.waking_select.uninstall


def test_what_a_client_of_s3_reads_is_read_before_the_forks(monkeypatch, forks):
    made = []
    monkeypatch.setattr(worker, "MODULES", ())
    monkeypatch.setattr(worker, "Bucket", lambda *given: made.append(given))
    worker.preload("")
    assert made == [("s3://nothing", os.environ)]


@pytest.fixture
def certificates():
    from airflow.sdk.api.client import Client

    Client._get_ssl_context_cached.cache_clear()
    return Client._get_ssl_context_cached


def test_a_worker_without_a_store_starts_all_the_same(monkeypatch, certificates):
    def refuse(*_):
        raise ValueError("no region")

    monkeypatch.setattr(worker, "Bucket", refuse)
    worker.warm_up_clients()
    assert certificates.cache_info().currsize == 1, "the rest is read all the same"


def test_certificates_are_read_before_the_forks(certificates):
    worker.warm_up_clients()
    assert certificates.cache_info().currsize == 1


@pytest.mark.parametrize("name", worker.MODULES)
def test_every_module_exists(name):
    assert importlib.util.find_spec(name), "it would be skipped, and every task would import it"
