"""Airflow's door, the proxy, and the pages behind it use the same headers, and believe nobody else's."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from airfoil.provider.views import door

pytestmark = pytest.mark.contracts

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
CADDYFILE = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
GRAFANA = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]["grafana"][
    "environment"
]


def test_the_proxy_passes_on_what_the_door_says_and_nothing_that_a_visitor_says():
    (copied,) = re.findall(r"copy_headers (.+)", CADDYFILE)
    assert copied.split() == [door.USER_HEADER, door.ROLE_HEADER, door.GRAFANA_HEADER]
    for name in ("nameless", "door", "execution_true"):
        snippet = CADDYFILE.partition(f"({name}) {{")[2].partition("\n}\n")[0]
        removed = re.findall(r"request_header -(\S+)", snippet)
        assert removed == ["X-Airfoil*", "X_Airfoil*"], name


def test_grafana_takes_name_and_role_from_the_door():
    assert GRAFANA["GF_AUTH_PROXY_HEADER_NAME"] == door.USER_HEADER
    assert GRAFANA["GF_AUTH_PROXY_HEADERS"] == f"Role:{door.GRAFANA_HEADER}"


@pytest.mark.parametrize("key", ["GF_SECURITY_ADMIN_USER", "GF_SECURITY_ADMIN_EMAIL"])
def test_nobody_in_airflow_can_be_called_like_grafanas_own_administrator(key):
    """Grafana looks for a person by both."""
    assert quote(GRAFANA[key], safe=door.NAME_SIGNS) != GRAFANA[key], "the door never says such a name"
