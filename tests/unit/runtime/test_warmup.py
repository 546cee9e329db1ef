"""Warming the API up: it asks the real application in-process, and whatever fails, the server starts."""

from __future__ import annotations

import gc
import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from airfoil.runtime import warmup

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def collector(monkeypatch) -> list[str]:
    """Not the test process's own memory is to be frozen."""
    said: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: said.append("freeze"))
    monkeypatch.setattr(gc, "collect", lambda: said.append("collect"))
    return said


def serve(monkeypatch: pytest.MonkeyPatch, app: object) -> None:
    for name in ("airflow", "airflow.api_fastapi"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    main = ModuleType("airflow.api_fastapi.main")
    main.app = app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.api_fastapi.main", main)


class App:
    """An ASGI application with one answer."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked: list[str] = []
        self.collecting: bool | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        self.collecting = gc.isenabled()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def test_the_task_api_is_woken_by_its_health_address(monkeypatch, collector):
    app = App(200)
    serve(monkeypatch, app)
    assert warmup.build_api()
    assert app.asked == ["GET /execution/health"]
    assert collector == ["collect", "freeze"]
    assert app.collecting is False
    assert gc.isenabled(), "the collector is as it was"


def test_a_collector_that_was_off_stays_off(monkeypatch):
    serve(monkeypatch, App(200))
    gc.disable()
    try:
        warmup.build_api()
        assert not gc.isenabled()
    finally:
        gc.enable()


def broken(*_: object) -> None:
    raise RuntimeError


@pytest.mark.parametrize("app", [App(500), App(404), broken, None])
def test_whatever_fails_is_a_warning(monkeypatch, caplog, app):
    serve(monkeypatch, app)
    with caplog.at_level(logging.WARNING):
        assert not warmup.build_api()
    assert "its first request will be slow" in caplog.text
    assert gc.isenabled()


def test_an_airflow_without_that_application_is_a_warning_too(monkeypatch, caplog):
    serve(monkeypatch, None)
    monkeypatch.setitem(sys.modules, "airflow.api_fastapi.main", None)
    with caplog.at_level(logging.WARNING):
        assert not warmup.build_api()


def test_a_c_library_without_malloc_trim_is_no_obstacle(monkeypatch):
    opened = []
    monkeypatch.setattr(warmup.ctypes, "CDLL", lambda name: opened.append(name) or object())
    warmup._return_memory()
    assert opened == [None]
