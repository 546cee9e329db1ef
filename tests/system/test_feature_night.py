"""The shipped feature repository on the embedded stack: a night of its DAG, and the feature server beside it."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from tests.system.platforms import free_ports, wait_until

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
DAG = "feast_feature_materialization"
DEADLINE_SECONDS = 30 * 60


@pytest.fixture(scope="module")
def served(make_platform):
    """A platform with every DAG and a feature server, after one night."""
    (port,) = free_ports(1)
    platform = make_platform({"feast": {"server": True, "port": port}}, template="all")
    platform.up()
    done = platform.run("run", DAG)
    print(f"{DAG}: {done.seconds:.1f} s")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    assert done.seconds < DEADLINE_SECONDS / 4, "it ends well before its deadline, on a busy machine too"
    return platform


def ask(platform) -> list[object]:
    body = {"features": ["customer_visits:visits_7d"], "entities": {"customer_id": [1, 2, 3]}}
    found = httpx.post(f"{platform.url('feature-server')}/get-online-features", json=body, timeout=60)
    return found.raise_for_status().json()["results"][1]["values"]


def test_what_the_night_brought_online_is_served(served):
    assert all(isinstance(one, int) for one in ask(served))
    assert {host for host, _, _ in served.listeners()} == {"127.0.0.1"}


def test_a_killed_feature_server_comes_back_at_its_port(served):
    before, url = ask(served), served.url("feature-server")
    pid = served.pids()["feature-server"]
    assert process.signal_process(pid, process.birth(pid), 9)
    began = time.monotonic()

    def is_back():
        row = served.state().service("feature-server")
        return row.state == "ready" and row.pid != pid

    wait_until(is_back, 120, "another feature server")
    print(f"feature server back after {time.monotonic() - began:.1f} s")
    assert served.url("feature-server") == url
    assert ask(served) == before


def test_it_keeps_to_its_budget_and_leaves_with_the_rest(served):
    said = json.loads(served.run("status", "--json").out)
    found = next(one for one in said["services"] if one["name"] == "feature-server")
    print(f"feature server: {found['memory_mib']} MiB, all: {said['memory_mib']}")
    row = served.state().service("feature-server")
    assert 0 < found["memory_mib"] <= row.memory_budget_mib
    served.down()
    assert served.leftovers() == []
