"""Runs that count are those of aliases, and of the versions that a rollback would go to."""

from __future__ import annotations

import pytest
from tests.unit.clients.wine_shop import Clock, WineShop

from airfoil.clients.claims import Claims
from airfoil.clients.deployed_runs import deployed_runs
from airfoil.clients.ledger import Ledger
from airfoil.clients.model_registry import create_version, delete_version, point_alias
from airfoil.records import ModelRef

pytestmark = pytest.mark.unit
RUNS = [letter * 32 for letter in "abcd"]


@pytest.fixture
def server():
    return WineShop()


@pytest.fixture
def ledger():
    return Ledger(Claims(), Clock())


@pytest.fixture
def tea(http):
    """A model with four versions, each by a run of its own."""
    for run_id in RUNS:
        source = ModelRef(name="tea", uri=f"runs:/{run_id}/model", run_id=run_id)
        http.do(create_version("tea", source, {}))
    return "tea"


def test_where_nothing_is_deployed_no_run_counts(http, ledger, tea):
    assert http.do(deployed_runs(ledger)) == frozenset()


def test_an_alias_that_somebody_set_by_hand_counts(http, ledger, tea):
    http.do(point_alias(tea, "staging", 2))
    http.do(point_alias(tea, "best", 2))
    assert http.do(deployed_runs(ledger)) == {RUNS[1]}


def test_so_does_the_version_that_a_rollback_would_go_to(http, ledger, tea):
    for number in (1, 2, 4):
        http.do(ledger.move(tea, "champion", number, who="ann"))
    assert http.do(deployed_runs(ledger)) == {RUNS[3], RUNS[1]}
    http.do(delete_version(tea, 2))
    assert http.do(deployed_runs(ledger)) == {RUNS[3], RUNS[0]}
    http.do(ledger.rollback(tea, "champion", reason="too bitter", who="bob"))
    assert http.do(deployed_runs(ledger)) == {RUNS[0]}
