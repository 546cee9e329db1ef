"""One host name for all pages, or one for each that is there."""

from __future__ import annotations

import re

import pytest

from airfoil.errors import SettingsError
from airfoil.stack.deploy import hosts, shipped

pytestmark = pytest.mark.unit

OURS = ("postgres", "redis", "s3", "mlflow", "features", "flower", "maintenance", "metrics", "status")


def derived(host="ml.example.com", switch="true", url="https://ml.example.com", profiles=OURS):
    return hosts.derived({"AIRFOIL_HOST": host, "AIRFOIL_SUBDOMAINS": switch}, url, profiles)


def test_one_name_is_all_there_is_at_first():
    assert derived("localhost", "false", "https://localhost:8443") == {
        "AIRFOIL_HOSTS": "localhost",
        "AIRFOIL_PAGES": "paths",
        "AIRFOIL_PORT": ":8443",
        "AIRFOIL_COOKIE_DOMAIN": "",
        "AIRFOIL_MLFLOW_URL": "https://localhost:8443",
        "AIRFOIL_BUCKETS": "seaweedfs",
    }


def test_each_page_that_is_there_has_a_name():
    found = derived(url="https://ml.example.com:8443")
    assert found["AIRFOIL_HOSTS"].split() == [
        "ml.example.com",
        *(f"{page}.ml.example.com" for page in hosts.PAGES if page != "grafana"),
    ]
    assert found["AIRFOIL_COOKIE_DOMAIN"] == "; Domain=ml.example.com"
    assert found["AIRFOIL_MLFLOW_URL"] == "https://mlflow.ml.example.com:8443"


def test_a_server_of_somebody_else_has_no_name_here():
    found = derived(profiles=("metrics",))
    assert found["AIRFOIL_HOSTS"] == "ml.example.com prometheus.ml.example.com alertmanager.ml.example.com"
    assert found["AIRFOIL_MLFLOW_URL"] == "https://ml.example.com"
    assert found["AIRFOIL_BUCKETS"] == "none"


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7", "[::1]", "server."])
def test_a_host_below_which_no_login_counts_is_refused(host):
    with pytest.raises(SettingsError, match="no login counts below") as refused:
        derived(host)
    assert "ml.example.com" in refused.value.next_move


def test_a_switch_is_on_or_off():
    with pytest.raises(SettingsError, match="AIRFOIL_SUBDOMAINS"):
        derived(switch="yes")


def test_the_proxy_knows_every_page_both_ways():
    text = (shipped.folder("compose") / "Caddyfile").read_text(encoding="utf-8")
    for page in hosts.PAGES:
        assert f"host {page}.{{$AIRFOIL_HOST}}" in text
        assert f"rewrite @{page}_host /{page}{{uri}}" in text
        assert f"redir @{page}_page https://{page}.{{$AIRFOIL_HOST}}{{$AIRFOIL_PORT}}{{uri}}" in text
    assert set(re.findall(r"rewrite @(\w+)_host", text)) == set(hosts.PAGES)
