import sys

import pytest

from airfoil.runtime.here import execution_api

pytestmark = pytest.mark.unit


def test_the_registry_comes_without_frameworks_nobody_uses_here_and_they_can_be_had_later(monkeypatch):
    seen = {}

    def import_module(name):
        seen.update({one: sys.modules.get(one, "absent") for one in execution_api.OTHER_FRAMEWORKS})

    monkeypatch.setitem(sys.modules, "flask", "loaded before")
    monkeypatch.delitem(sys.modules, "aiohttp", raising=False)
    monkeypatch.setattr("importlib.import_module", import_module)

    execution_api.import_svcs()

    assert (seen["flask"], seen["aiohttp"]) == ("loaded before", None)
    assert "aiohttp" not in sys.modules
    assert sys.modules["flask"] == "loaded before"


@pytest.mark.parametrize("error", [ImportError("no lifespan"), AttributeError("x"), TypeError("y")])
def test_a_release_that_is_built_otherwise_is_served_by_its_own_application(monkeypatch, capsys, error):
    def newest_version():
        raise error

    monkeypatch.setattr(execution_api, "import_svcs", lambda: None)
    monkeypatch.setattr(execution_api, "newest_version", newest_version)
    monkeypatch.setattr(execution_api, "whole_api", lambda: "Airflow's own")

    assert execution_api.build_transport() == "Airflow's own"
    assert f"with all its versions: {error}" in capsys.readouterr().err
