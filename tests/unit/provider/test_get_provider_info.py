"""Provider info: plain data that every `airflow` command reads. Completeness is checked in tests/contracts."""

import subprocess
import sys

import pytest

from airfoil.provider.get_provider_info import get_provider_info

pytestmark = pytest.mark.unit


def test_the_package_is_named_as_it_is_installed():
    # A different name breaks the discovery of all providers.
    assert get_provider_info()["package-name"] == "airfoil"


def test_callers_cannot_change_each_others_answer():
    get_provider_info()["hooks"].clear()
    assert get_provider_info()["hooks"]


def test_asking_loads_neither_airflow_nor_mlflow():
    code = (
        "import sys; from airfoil.provider.get_provider_info import get_provider_info; get_provider_info();"
        "print(sorted({'airflow', 'mlflow', 'httpx', 'pydantic'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "[]"
