"""`airfoil models`: what is registered, where aliases stand and stood, and moving them."""

from __future__ import annotations

import getpass
import io
import sys
from datetime import UTC, datetime

import httpx
import pytest
from tests.unit.clients.wine_shop import WineShop

from airfoil.clients import model_registry
from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.verdicts import Verdict, keep_verdict
from airfoil.records import GateDecision

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    server = WineShop()
    server.add_versions("wine", 3)
    return server


@pytest.fixture
def models(airfoil, running, server):
    """Run `airfoil models ...` against a fake MLflow."""
    return lambda *arguments: airfoil("models", *arguments, transport=httpx.MockTransport(server))


@pytest.fixture
def do(server):
    """Do something in MLflow beside the command line."""
    with MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server)) as http:
        yield http.do


def move(do, version, at=1_793_000_000.0, **more):
    return do(Ledger(Claims(), lambda: at).move("wine", "champion", version, **{"who": "ann", **more}))


def at_a_terminal(monkeypatch, text):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)


def test_nothing_runs(airfoil, project):
    outcome = airfoil("models", "list")
    assert outcome.code == 1
    assert "The platform is not running" in outcome.err


def test_models_are_listed_with_their_aliases(models, do):
    do(model_registry.point_alias("wine", "champion", 2))
    lines = models("list").out.splitlines()
    assert lines[1].split()[:5] == ["wine", "3", "champion", "→", "2"]
    (row,) = models("list", "--json").json()["models"]
    assert (row["name"], row["latest"], row["aliases"]) == ("wine", 3, {"champion": 2})
    assert row["url"].endswith("/#/models/wine")


def test_no_models(models, server):
    server.forget()
    assert models("list").out == "No model is registered.\n"
    assert models("list", "--json").json()["models"] == []


def judge(do, model="wine"):
    """Have a candidate that was refused."""
    said = "accuracy is 0.5 on 9 rows; at least 0.9 is needed"
    decision = GateDecision(passed=False, metric="accuracy", value=0.5, rows=9, reason=said)
    at = datetime(2026, 11, 21, tzinfo=UTC)
    do(keep_verdict(Claims(), Verdict(model=model, at=at, decision=decision, run_id="r7", dag_run="d/1")))
    return said


def test_a_candidate_that_was_refused_is_shown_with_the_reason(models, do):
    said = judge(do)
    shown = models("show", "wine")
    assert "JUDGED" in shown.out
    assert said in " ".join(shown.out.split())
    (row,) = models("show", "wine", "--json").json()["verdicts"]
    assert (row["passed"], row["reason"], row["dag_run"]) == (False, said, "d/1")
    assert row["run_url"].endswith("/#/runs/r7")


def test_a_model_of_which_no_candidate_was_good_enough_is_no_stranger(models, do):
    said = judge(do, "beer")
    shown = models("show", "beer")
    assert shown.code == 0
    assert "No version is registered" in shown.out
    assert said in " ".join(shown.out.split())


def test_a_model_is_shown_with_aliases_versions_verdict_and_run(models, do):
    move(do, 2, gate={"passed": True, "metric": "auc", "value": 0.91234}, reason="better")
    do(model_registry.point_alias("wine", "old", 1))
    text = models("show", "wine").out
    assert "passed: auc 0.9123" in text
    assert "#/runs/" in text
    shown = models("show", "wine", "--json").json()
    assert [(row["alias"], row["version"], row["who"]) for row in shown["aliases"]] == [
        ("champion", 2, "ann"),
        ("old", 1, ""),
    ]
    assert [(row["version"], row["aliases"]) for row in shown["versions"]] == [
        (3, []),
        (2, ["champion"]),
        (1, ["old"]),
    ]
    assert shown["versions"][1]["gate"]["metric"] == "auc"


@pytest.mark.parametrize("command", [("show", "beer"), ("history", "beer"), ("rollback", "beer", "--yes")])
def test_an_unknown_model_is_told(models, command):
    outcome = models(*command)
    assert outcome.code == 1
    assert "beer" in outcome.err
    assert "airfoil models list" in outcome.err


def test_a_history_tells_every_move(models, do):
    move(do, 1, reason="first", approver="bob")
    move(do, 3, gate={"passed": True, "bootstrap": list(range(9000)), "metric": "auc", "value": 1})
    do(Ledger(Claims()).rollback("wine", "champion", who="eve", reason="wrong"))
    lines = models("history", "wine").out.splitlines()
    assert [line.split()[4] for line in lines[1:]] == ["promote", "promote", "rollback"]
    assert "bob" in lines[1]
    entries = models("history", "wine", "--alias", "champion", "--json").json()["entries"]
    assert [entry["to_version"] for entry in entries] == [1, 3, 1]
    assert len(entries[1]["gate"]["bootstrap"]) == 9000, "details come with it"
    assert "Nothing is known about the alias 'old'" in models("history", "wine", "--alias", "old").err


def test_where_aliases_stood(models, do):
    move(do, 1, at=1_793_000_000)  # 2026-10-26, in any time zone
    move(do, 3, at=1_793_000_000 + 10 * 86400)
    assert models("at", "2026-10-30").out.splitlines()[1].split()[:3] == ["wine", "champion", "1"]
    assert models("at", "2026-11-20 14:00", "--model", "wine").out.splitlines()[1].split()[2] == "3"
    found = models("at", "2026-11-20T14:00+00:00", "--json").json()
    assert [(row["alias"], row["version"]) for row in found["aliases"]] == [("champion", 3)]
    assert found["at"] == "2026-11-20T14:00:00+00:00"
    assert models("at", "2026-01-01").out.startswith("No alias had been moved by 2026-01-01 23:59:59")
    assert models("at", "2026-11-20", "--model", "beer").out.startswith("No alias")


def test_a_day_means_its_end(models, do):
    move(do, 1, at=1_793_000_000)
    (row,) = (
        models("at", "2026-10-26", "--json").json()["aliases"]
        or models("at", "2026-10-27", "--json").json()["aliases"]
    )
    assert row["version"] == 1


def test_what_is_no_date_is_a_usage_error(models):
    outcome = models("at", "yesterday")
    assert outcome.code == 2
    assert "2026-11-20" in outcome.err


def test_promoting_records_who_and_why(models, server, do):
    outcome = models("promote", "wine", "v2", "--reason", "it is better", "--yes")
    assert outcome.code == 0, outcome.err
    assert "champion of wine is at version 2 (entry 1)." in outcome.out
    assert server.alias("wine") == 2
    (entry,) = do(Ledger(Claims()).entries("wine", "champion"))
    assert (entry.who, entry.reason) == (getpass.getuser(), "it is better")
    assert "at version 2 already" in models("promote", "wine", "2").out
    made = models("promote", "wine", "3", "--alias", "challenger", "--yes", "--json").json()
    assert (made["moved"], made["entry"]["to_version"]) == (True, 3)


def test_moving_asks(models, server, monkeypatch):
    outcome = models("promote", "wine", "2")
    assert "no terminal to ask on" in outcome.err
    assert "does not ask" in models("promote", "wine", "2", "--json").err
    at_a_terminal(monkeypatch, "n\n")
    assert "Nothing was moved." in models("promote", "wine", "2").err
    assert server.alias("wine") is None
    at_a_terminal(monkeypatch, "y\n")
    outcome = models("promote", "wine", "2")
    assert "champion of wine: no version → version 2. Move it? [y/N]" in outcome.out
    assert server.alias("wine") == 2


def test_what_somebody_else_moves_while_we_are_asked_is_not_undone(models, server, do, monkeypatch):
    move(do, 1)

    def answer(_: str) -> str:
        move(do, 3, who="eve")
        return "y"

    at_a_terminal(monkeypatch, "")
    monkeypatch.setattr("builtins.input", answer)
    outcome = models("promote", "wine", "2")
    assert outcome.code == 1
    assert "at version 3, not at version 1: eve moved it" in outcome.err
    assert server.alias("wine") == 3


def test_rolling_back_goes_step_by_step(models, server, do):
    for version in (1, 2, 3):
        move(do, version)
    assert "champion of wine is at version 2 (entry 4)." in models("rollback", "wine", "--yes").out
    assert models("rollback", "wine", "--yes", "--json").json()["entry"]["to_version"] == 1
    outcome = models("rollback", "wine", "--yes")
    assert "There is no earlier version" in outcome.err
    assert server.alias("wine") == 1


@pytest.mark.parametrize("version", ["0", "two", "v", "-1", "٣"])
def test_what_is_no_version_is_a_usage_error(models, version):
    assert models("promote", "wine", "--yes", "--", version).code == 2


def test_a_version_that_is_not_there_is_told(models):
    assert "Model wine has no version 9." in models("promote", "wine", "9", "--yes").err


def test_a_bad_alias_is_told_first(models):
    assert (
        "cannot be the name of an alias" in models("promote", "wine", "1", "--alias", "latest", "--yes").err
    )
