"""The feature store of a server: the project's own, but for where registry and online store are."""

from __future__ import annotations

import pytest
import yaml

from airfoil.errors import ConfigurationError
from airfoil.stack.deploy import feature_file, shipped

pytestmark = pytest.mark.unit

OWN = (shipped.CHECKOUT / "features" / "feature_store.yaml").read_text(encoding="utf-8")


def test_the_project_keeps_what_is_its_own():
    found = yaml.safe_load(feature_file.rendered(OWN, "features/feature_store.yaml"))
    own = yaml.safe_load(OWN)
    moved = {"registry", "online_store"}
    assert {key: value for key, value in found.items() if key not in moved} == {
        key: value for key, value in own.items() if key not in moved
    }
    assert found["registry"] == {
        "registry_type": "sql",
        "path": "${FEAST_REGISTRY_URL}",
        "cache_ttl_seconds": 60,
    }
    assert found["online_store"] == {"type": "redis", "connection_string": "${FEAST_REDIS}"}


def test_nothing_given_gives_a_store():
    assert yaml.safe_load(feature_file.rendered("", "x"))["project"] == "airfoil"


@pytest.mark.parametrize("text", ["- a\n", "a: [b\n"])
def test_what_is_no_feature_store_is_named(text):
    with pytest.raises(ConfigurationError, match=r"features/feature_store\.yaml"):
        feature_file.rendered(text, "features/feature_store.yaml")


def test_feast_can_read_it(tmp_path, monkeypatch):
    from feast.repo_config import load_repo_config

    (tmp_path / "feature_store.yaml").write_text(feature_file.rendered(OWN, "x"), encoding="utf-8")
    monkeypatch.setenv("FEAST_REGISTRY_URL", "postgresql+psycopg://feast:x@postgres:5432/feast")
    monkeypatch.setenv("FEAST_REDIS", "redis:6379,db=1,password=abc,ssl=false")
    config = load_repo_config(tmp_path, tmp_path / "feature_store.yaml")
    assert config.registry.path == "postgresql+psycopg://feast:x@postgres:5432/feast"
    assert config.online_store.connection_string == "redis:6379,db=1,password=abc,ssl=false"
