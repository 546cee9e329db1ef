"""A look at many ledgers costs as many requests as they have different lengths, and reads none."""

from __future__ import annotations

import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.ledger_watch import LedgerWatch, versions_by_alias

pytestmark = pytest.mark.unit


@pytest.fixture
def registry(http):
    """Models wine and beer, with two versions each."""
    for name in ("wine", "beer"):
        http.post("api/2.0/mlflow/registered-models/create", {"name": name})
        for _ in range(2):
            http.post("api/2.0/mlflow/model-versions/create", {"name": name, "source": "s3://bucket/model"})
    return Ledger(Claims())


def move(http, ledger, model, alias, *versions):
    for version in versions:
        http.do(ledger.move(model, alias, version, who="me"))


def test_it_finds_the_ledgers_that_grew_and_no_others(http, registry):
    move(http, registry, "wine", "champion", 1, 2)
    move(http, registry, "beer", "champion", 1)
    watch = LedgerWatch(Claims())
    known = {("wine", "champion"): 2, ("beer", "champion"): 1, ("wine", "never-moved"): 0}
    assert http.do(watch.grown(known)) == set()
    move(http, registry, "beer", "champion", 2)
    assert http.do(watch.grown(known)) == {("beer", "champion")}
    assert http.do(watch.grown(dict.fromkeys(known, 0))) == {("wine", "champion"), ("beer", "champion")}


def test_a_ledger_that_begins_later_is_found(http, registry):
    watch = LedgerWatch(Claims())
    assert http.do(watch.grown({("wine", "champion"): 0})) == set()
    move(http, registry, "wine", "champion", 1)
    assert http.do(watch.grown({("wine", "champion"): 0})) == {("wine", "champion")}


def test_an_idle_look_at_ledgers_of_one_length_is_one_request(http, server, registry):
    for alias in ("champion", "challenger", "staging"):
        move(http, registry, "wine", alias, 1)
    watch, known = (
        LedgerWatch(Claims()),
        {("wine", name): 1 for name in ("champion", "challenger", "staging")},
    )
    http.do(watch.grown(known))
    server.calls.clear()
    assert http.do(watch.grown(known)) == set()
    assert server.calls == ["mlflow/runs/search"]


def test_aliases_of_models_are_listed_and_missing_models_have_none(http, registry):
    move(http, registry, "wine", "champion", 2)
    assert http.do(versions_by_alias(["wine", "beer", "nobody"])) == {("wine", "champion"): 2}
