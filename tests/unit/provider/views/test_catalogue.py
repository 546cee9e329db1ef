"""What the page shows is what MLflow and the ledger hold."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.errors import NotFoundError
from airfoil.provider.views.catalogue import catalogue, one_model

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    return FakeMlflow()


@pytest.fixture
def http(server):
    with MlflowHttp(
        MlflowServer("http://mlflow.test", tries=1), transport=httpx.MockTransport(server)
    ) as client:
        for name in ("wine", "beer"):
            client.post("api/2.0/mlflow/registered-models/create", {"name": name})
            for _ in range(2):
                client.post("api/2.0/mlflow/model-versions/create", {"name": name, "source": "s3://b/m"})
        ledger = Ledger(Claims())
        gate = {"passed": True, "metric": "auc", "reason": "auc 0.93 is 0.02 above the champion"}
        client.do(ledger.move("wine", "champion", 1, who="ada", reason="first", gate=gate))
        client.do(ledger.move("wine", "champion", 2, who="bob", reason="by hand"))
        client.do(ledger.move("wine", "staging", 2, who="ada"))
        yield client


def test_every_model_is_there_with_the_last_move_and_the_last_verdict(http):
    beer, wine = http.do(catalogue(Ledger(Claims())))["models"]
    assert (beer["name"], beer["aliases"]) == ("beer", [])
    champion, staging = wine["aliases"]
    assert (champion["alias"], champion["version"], champion["moves"]) == ("champion", 2, 2)
    assert (champion["last"]["who"], champion["last"]["from_version"]) == ("bob", 1)
    assert champion["verdict"]["metric"] == "auc"
    assert (staging["verdict"], staging["last"]["who"]) == (None, "ada")


def test_an_alias_set_outside_and_one_taken_away_are_both_shown(http):
    body = {"name": "beer", "alias": "tapped", "version": "1"}
    http.post("api/2.0/mlflow/registered-models/alias", body)
    http.do(Ledger(Claims()).move("wine", "staging", None, who="ada"))
    beer, wine = http.do(catalogue(Ledger(Claims())))["models"]
    assert beer["aliases"] == [{"alias": "tapped", "version": 1, "moves": 0, "last": None, "verdict": None}]
    assert [row["version"] for row in wine["aliases"]] == [2, None]


def test_one_model_has_its_moves_newest_first_and_its_versions(http):
    wine = http.do(one_model(Ledger(Claims()), "wine"))
    assert {(move["alias"], move["number"]) for move in wine["moves"]} == {
        ("champion", 1),
        ("champion", 2),
        ("staging", 1),
    }
    assert [move["at"] for move in wine["moves"]] == sorted(
        (move["at"] for move in wine["moves"]), reverse=True
    )
    assert [(one["version"], one["aliases"]) for one in wine["versions"]] == [
        (2, ["champion", "staging"]),
        (1, []),
    ]


def test_all_of_it_costs_a_few_requests_however_many_models_there_are(http, server):
    server.calls.clear()
    http.do(catalogue(Ledger(Claims())))
    assert len(server.calls) <= 5


def test_a_model_that_is_not_there_is_an_error_that_names_it(http):
    with pytest.raises(NotFoundError, match="cider"):
        http.do(one_model(Ledger(Claims()), "cider"))
