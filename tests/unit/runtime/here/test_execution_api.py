import pytest

from airfoil.runtime.here import execution_api

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("error", [ImportError("no lifespan"), AttributeError("x"), TypeError("y")])
def test_a_release_that_is_built_otherwise_is_served_by_its_own_application(monkeypatch, capsys, error):
    def newest_version():
        raise error

    monkeypatch.setattr(execution_api, "newest_version", newest_version)
    monkeypatch.setattr(execution_api, "whole_api", lambda: "Airflow's own")

    assert execution_api.build_transport() == "Airflow's own"
    assert f"with all its versions: {error}" in capsys.readouterr().err
