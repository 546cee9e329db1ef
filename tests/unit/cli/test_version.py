import pytest

from airfoil import __version__
from airfoil.cli import version

pytestmark = pytest.mark.unit


def test_versions_as_lines_and_as_json(airfoil):
    lines = airfoil("version").out.splitlines()
    found = airfoil("version", "--json").json()

    assert lines[0] == f"airfoil {__version__}"
    assert found["airfoil"] == __version__
    assert set(found) == {"airfoil", "airflow", "mlflow", "mlflow-skinny", "feast", "python"}
    assert f"airflow {found['airflow']}" in lines


def test_what_is_not_installed_is_none():
    assert version.installed("surely-not-a-distribution") is None


def test_the_file_of_tested_versions_is_where_it_says(airfoil):
    from pathlib import Path

    outcome = airfoil("version", "--constraints")

    assert outcome.code == 0
    assert "apache-airflow-core==3.3" in Path(outcome.out.strip()).read_text()
