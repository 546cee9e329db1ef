"""Who holds an alias, and how good that one is known to be."""

from __future__ import annotations

import pytest
from tests.unit.provider.registry_tasks import Registry

from airfoil.clients.champions import GATE_TAG, MAX_TAG_CHARACTERS, champion, gate_tag
from airfoil.clients.exchange import API, post
from airfoil.records import GateDecision

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    return Registry()


def decided(**values):
    parts = [
        GateDecision(passed=True, metric=name, value=value, rows=9, reason="x")
        for name, value in values.items()
    ]
    return GateDecision(passed=True, metric="all", reason="x", parts=tuple(parts))


def hold(server, tags):
    server.add_versions("wine", 1)
    server.version("wine")["tags"] = tags
    server.point("wine", 1)


def test_nobody_holds_it(server, http):
    assert http.do(champion("wine", "champion")) is None
    server.add_versions("wine", 1)
    assert http.do(champion("wine", "champion")) is None


def test_the_numbers_of_its_gate_are_known(server, http):
    hold(server, gate_tag(decided(accuracy=0.9, f1=0.8)))
    found = http.do(champion("wine", "champion"))
    assert (found.scores.values, found.scores.rows) == ({"accuracy": 0.9, "f1": 0.8}, 9)
    assert (found.ref.uri, found.ref.version) == ("models:/wine/1", 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"passed": 1}', "null"])
def test_a_tag_that_is_garbage_tells_nothing(server, http, text):
    hold(server, {GATE_TAG: text})
    assert http.do(champion("wine", "champion")).scores.values == {}


def test_what_its_run_logged_counts_where_its_gate_said_nothing(server, http):
    hold(server, gate_tag(decided(accuracy=0.9)))
    run_id = server.version("wine")["run_id"]
    for key, value in (("accuracy", 0.1), ("auc", 0.7), ("loss", "NaN")):
        http.do(
            post(f"{API}/runs/log-metric", {"run_id": run_id, "key": key, "value": value, "timestamp": 1})
        )
    assert http.do(champion("wine", "champion")).scores.values == {"accuracy": 0.9, "auc": 0.7}


def test_a_deleted_run_is_no_reason_to_fail(server, http):
    hold(server, gate_tag(decided(accuracy=0.9)))
    server.version("wine")["run_id"] = "gone"
    assert http.do(champion("wine", "champion")).scores["accuracy"] == 0.9


def test_a_long_decision_loses_its_parts_and_then_itself():
    many = decided(**{f"m{number}": 0.5 for number in range(200)})
    assert len(gate_tag(many)[GATE_TAG]) < MAX_TAG_CHARACTERS
    assert gate_tag(many.model_copy(update={"reason": "x" * 6000})) == {}
