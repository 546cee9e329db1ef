"""Doctor on servers that are not ours: one finding each, and never an error, because the rest works without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airfoil.errors import ServiceRefusedError
from airfoil.stack.checks_databases import check_databases
from airfoil.stack.checks_project import check_exposure
from airfoil.stack.checks_running import check_ports
from airfoil.stack.checks_servers import check_servers

pytestmark = pytest.mark.unit

TOML = '[mlflow]\nurl = "https://ml.example.com"\nusername = "ann"\n[airflow]\nurl = "http://0.0.0.9:8080"\n'


def test_without_foreign_servers_there_is_nothing_to_say(world):
    assert [finding.level for finding in check_servers(world.case)] == ["ok"]


def test_a_server_that_lets_us_in_is_named_with_its_version(world):
    world.settings(TOML)
    met = []
    case = replace(
        world.case, meet=lambda server: met.append(server) or "3.1", environ={"AIRFOIL_MLFLOW_PASSWORD": "pw"}
    )
    found = list(check_servers(case))
    assert [finding.level for finding in found] == ["ok", "ok"]
    assert "MLflow 3.1 at https://ml.example.com lets us in as ann" in found[1].message
    assert met[1].password == "pw"


def test_what_keeps_us_out_is_a_warning_with_the_next_move(world):
    world.settings(TOML)

    def meet(server):
        raise ServiceRefusedError(f"{server.title} says no.", "Ask nicely.")

    found = list(check_servers(replace(world.case, meet=meet)))
    assert {(finding.level, finding.fix) for finding in found} == {("warn", "Ask nicely.")}


def test_ports_databases_and_addresses_of_servers_that_are_not_started_are_nobodys_concern(world):
    world.settings(TOML)
    assert list(check_databases(world.case)) == []
    assert [finding.message for finding in check_ports(world.case)] == ["Free or ours: page 8081."]
    assert [finding.level for finding in check_exposure(world.case)] == ["ok"]
