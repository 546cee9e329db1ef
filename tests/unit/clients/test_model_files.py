"""Model files: what is stated about a model. Saving for real is an integration test (importing mlflow is slow)."""

import sys
from importlib import metadata

import numpy as np
import pytest
import scipy.special

from airfoil.clients.model_files import (
    BASE_PACKAGES,
    XGBOOST_PACKAGES,
    is_xgboost,
    name_homes_of_scipy_functions,
    pinned_requirements,
)
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def test_requirements_are_pinned_as_installed_sorted_and_once():
    assert pinned_requirements(["numpy", "mlflow", "numpy"]) == [
        f"mlflow=={metadata.version('mlflow')}",
        f"numpy=={metadata.version('numpy')}",
    ]


def test_what_every_model_needs_is_installed():
    assert len(pinned_requirements(BASE_PACKAGES)) == len(BASE_PACKAGES)
    assert len(pinned_requirements(XGBOOST_PACKAGES)) == len(XGBOOST_PACKAGES)


def test_only_models_of_xgboost_s_own_are_written_by_it():
    xgboost = pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")

    class Mine(xgboost.XGBRegressor):
        pass

    assert is_xgboost(xgboost.XGBClassifier())
    assert is_xgboost(xgboost.Booster())
    assert is_xgboost(Mine())
    assert not is_xgboost(object())


def test_the_small_mlflow_stands_for_the_whole(monkeypatch):
    def version(package):
        if package == "mlflow":
            raise metadata.PackageNotFoundError(package)
        return {"mlflow-skinny": "3.17.2"}[package]

    monkeypatch.setattr("airfoil.clients.model_files.metadata.version", version)
    assert pinned_requirements(["mlflow"]) == ["mlflow==3.17.2"]


def test_without_mlflow_the_extra_that_brings_it_is_named(monkeypatch):
    def version(package):
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr("airfoil.clients.model_files.metadata.version", version)
    with pytest.raises(ConfigurationError, match="'mlflow'") as caught:
        pinned_requirements(["mlflow"])
    assert "airfoil[models]" in caught.value.next_move


def test_a_package_that_is_not_here_is_named():
    with pytest.raises(ConfigurationError, match="'no-such-thing'") as caught:
        pinned_requirements(["no-such-thing"])
    assert "uv add no-such-thing" in caught.value.next_move


def test_scipy_functions_know_a_module_that_really_holds_them():
    name_homes_of_scipy_functions()
    functions = [value for value in vars(scipy.special).values() if isinstance(value, np.ufunc)]
    assert len(functions) > 200
    for function in functions:
        assert getattr(sys.modules[function.__module__], function.__name__) is function
