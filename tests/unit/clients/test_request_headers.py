"""What MLflow hears of providers of headers, and that Feast's is asked only where Feast is."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace

import pytest

from airfoil.clients import request_headers
from airfoil.clients.request_headers import headers_without_feast

pytestmark = pytest.mark.unit

GROUP = "mlflow.request_header_provider"
OURS = EntryPoint("feast", "feast.infra.data_sources.mlflow.auth:FeastMLflowHeaderProvider", GROUP)
OTHER = EntryPoint("json", "json:JSONDecoder", GROUP)


@pytest.fixture
def plugins(monkeypatch):
    """The module of MLflow that finds plugins."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "feast"]:
        monkeypatch.delitem(sys.modules, name)
    found = SimpleNamespace(get_entry_points=lambda group: (OURS, OTHER))
    monkeypatch.setitem(sys.modules, request_headers._PLUGINS, found)
    return found


def provider_in(plugins):
    first, second = plugins.get_entry_points(GROUP)
    assert second is OTHER
    assert first.name == "feast"
    return first.load()()


def test_feast_is_not_imported_for_its_headers(plugins):
    original = plugins.get_entry_points
    with headers_without_feast():
        provider = provider_in(plugins)
        assert provider.in_context() is False
        assert plugins.get_entry_points("mlflow.artifact_repository") == (OURS, OTHER)
    assert not any(name.partition(".")[0] == "feast" for name in sys.modules)
    assert plugins.get_entry_points is original


def test_where_feast_is_its_headers_are_sent(plugins, monkeypatch):
    tokens = []

    class FeastMLflowHeaderProvider:
        def in_context(self):
            return bool(tokens)

        def request_headers(self):
            return {"Authorization": f"Bearer {tokens[-1]}"}

    with headers_without_feast():
        provider = provider_in(plugins)
    module = ModuleType(OURS.module)
    module.FeastMLflowHeaderProvider = FeastMLflowHeaderProvider
    monkeypatch.setitem(sys.modules, OURS.module, module)
    assert provider.in_context() is False
    tokens.append("t1")
    assert provider.in_context() is True
    assert provider.request_headers() == {"Authorization": "Bearer t1"}


def test_mlflow_asks_as_it_is_expected_to(monkeypatch):
    """The real registry of MLflow, loaded anew: Feast stays away, and requests have the headers of MLflow."""
    pytest.importorskip("feast", reason="Feast is not installed")
    import mlflow  # noqa: F401 - its package

    name = "mlflow.tracking.request_header.registry"
    for known in [one for one in sys.modules if one == name or one.partition(".")[0] == "feast"]:
        monkeypatch.delitem(sys.modules, known)
    with headers_without_feast():
        import importlib

        registry = importlib.import_module(name)
        assert "User-Agent" in registry.resolve_request_headers()
    assert not any(one.partition(".")[0] == "feast" for one in sys.modules)
