"""The names of Airflow's own options, and which one was probably meant."""

import pytest
import yaml

from airfoil.stack import airflow_catalog
from airfoil.stack.airflow_catalog import likely_meant, read_catalog

pytestmark = pytest.mark.unit


def test_it_reads_what_a_parser_of_yaml_reads():
    file = airflow_catalog._installed()
    assert file is not None
    parsed = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert read_catalog() == {name: frozenset(section["options"]) for name, section in parsed.items()}


def test_without_airflow_or_its_list_there_are_no_names(tmp_path, monkeypatch):
    assert read_catalog(tmp_path / "config.yml") == {}
    (tmp_path / "config.yml").write_text("garbage\n    key:\n")
    assert read_catalog(tmp_path / "config.yml") == {}
    monkeypatch.setattr(airflow_catalog.importlib.util, "find_spec", lambda _: None)
    assert read_catalog() == {}


@pytest.mark.parametrize(
    ("section", "key", "meant"),
    [
        ("core", "executor", ""),
        ("core", "fernet_key_cmd", ""),
        ("core", "fernet_key_secret", ""),
        ("core", "exekutor", "[airflow.core] executor"),
        ("core", "something_else", ""),
        ("core", "refresh_interval", "[airflow.dag_processor] refresh_interval"),
        ("dag_procesor", "refresh_interval", "[airflow.dag_processor] refresh_interval"),
        ("celery", "broker_url", ""),
    ],
)
def test_the_likely_meaning(section, key, meant):
    catalog = {
        "core": frozenset({"executor", "fernet_key"}),
        "dag_processor": frozenset({"refresh_interval"}),
    }
    assert likely_meant(catalog, section, key) == meant
    assert likely_meant({}, section, key) == ""
