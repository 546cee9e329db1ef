"""The file of tested versions, as the wheel carries it."""

from __future__ import annotations

import pytest
from packaging.version import Version

from airfoil.stack.packages import constraints

pytestmark = pytest.mark.unit


def test_every_package_of_the_platform_has_a_tested_version():
    pins = constraints.pins()

    assert pins["apache-airflow-core"][0].startswith("3.3.")
    assert {"mlflow", "feast", "pydantic", "uv", "tomlkit", "psycopg", "boto3"} <= pins.keys()
    assert "airfoil" not in pins
    assert all(Version(version) for versions in pins.values() for version in versions)


def test_a_package_may_have_different_versions_on_different_pythons():
    assert all(len(set(versions)) == len(versions) for versions in constraints.pins().values())
    assert any(len(versions) > 1 for versions in constraints.pins().values())
