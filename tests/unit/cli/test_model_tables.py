"""Rows about models: verdicts in a few words, aliases that were moved outside, and links."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airfoil.cli import model_tables
from airfoil.clients.history import History
from airfoil.clients.model_registry import ModelVersion, RegisteredModel
from airfoil.records import LedgerEntry

pytestmark = pytest.mark.unit


def entry(number, to, gate=None):
    at = datetime(2026, 11, number, tzinfo=UTC)
    return LedgerEntry(
        model="w", alias="champion", number=number, at=at, kind="promote", who="ann", to_version=to, gate=gate
    )


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (None, ""),
        ({}, ""),
        ({"passed": True}, "passed"),
        ({"passed": False, "metric": "auc", "value": 0.5}, "failed: auc 0.5"),
        ({"passed": False, "outcome": "missing", "metric": "auc", "value": None}, "missing"),
        ({"passed": True, "metric": "rmse", "value": 123456.789}, "passed: rmse 1.235e+05"),
    ],
)
def test_a_verdict_is_short(gate, said):
    assert model_tables.verdict(gate) == said


def test_an_alias_that_was_moved_outside_has_no_mover():
    history = History("w", "champion", entries=(entry(1, 1),))
    view = model_tables.model_view(
        RegisteredModel("w", {"champion": 2}), [], {"champion": history}, "http://m"
    )
    assert view["aliases"] == [
        {"alias": "champion", "version": 2, "since": None, "who": "", "reason": "", "gate": None}
    ]


def test_the_latest_verdict_about_a_version_counts():
    history = History("w", "champion", entries=(entry(1, 1, {"n": 1}), entry(2, 2), entry(3, 1, {"n": 3})))
    versions = [ModelVersion("w", 1, "r1", "runs:/r1/m"), ModelVersion("w", 2, None, "s3://elsewhere")]
    view = model_tables.model_view(RegisteredModel("w", {}), versions, {"champion": history}, "http://m")
    assert [row["gate"] for row in view["versions"]] == [{"n": 3}, None]
    assert [row["run_url"] for row in view["versions"]] == ["http://m/#/runs/r1", None]


def test_a_name_is_quoted_in_links():
    assert model_tables.model_row(RegisteredModel("a b", {}), "http://m")["url"] == "http://m/#/models/a%20b"


def test_the_zone_is_that_of_the_moment():
    assert model_tables.zone_of(datetime(2026, 7, 1)).utcoffset(None) is not None  # noqa: DTZ001 - as people type it
