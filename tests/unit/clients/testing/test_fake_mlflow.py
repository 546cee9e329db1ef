"""The fake server as a whole: what tests look at, threads that share it, and a new beginning."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.mlflow_behaviours import server as behaviours
from tests.mlflow_behaviours.talk import behaviours_of

import airfoil.clients
from airfoil.clients.claims import Claims
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("behaviour", behaviours_of(behaviours), ids=lambda behaviour: behaviour.__name__)
def test_it_does_what_mlflow_does(talk, behaviour):
    behaviour(talk)


def test_a_test_may_look_at_everything(server, talk):
    number = talk.experiment()
    run = talk.run(number)
    talk.ask("POST", "runs/log-batch", run_id=run, params=[{"key": "a", "value": "1"}])
    talk.file("PUT", f"{number}/{run}/artifacts/a.txt", b"x")
    model = talk.logged_model(run, number)
    talk.ask("POST", "registered-models/create", name="wine")
    hook = {"name": "a", "url": "http://b", "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]}
    made = talk.ask("POST", "webhooks", secret="s3cret", **hook)["webhook"]["webhook_id"]

    assert server.experiment_id(talk.name()) == number
    assert server.runs[run]["params"] == {"a": "1"}
    assert server.run_of("one") is server.runs[run]
    assert server.artifacts == {f"{number}/{run}/artifacts/a.txt": b"x"}
    assert server.models[model]["status"] == "LOGGED_MODEL_PENDING"
    assert list(server.registered) == ["wine"]
    assert server.webhooks[made]["secret"] == "s3cret"
    assert server.calls[0] == "mlflow/experiments/create"


def test_it_forgets_everything_and_gives_the_same_ids_again(server, talk):
    first = talk.run()
    server.fail["mlflow/runs/get"] = httpx.Response(500)
    server.forget()
    assert (list(server.experiments), server.runs, server.calls, server.fail) == (["Default"], {}, [], {})
    assert talk.run() == first


def test_a_path_below_a_host_and_a_login_are_fine(server):
    address = MlflowServer("https://mlflow.test/base", username="ana", password="x")
    with MlflowHttp(address, transport=httpx.MockTransport(server)) as http:
        assert (
            http.get("api/2.0/mlflow/experiments/get", experiment_id="0")["experiment"]["name"] == "Default"
        )


def test_every_address_that_our_clients_know_is_known(server):
    folder = Path(airfoil.clients.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    known = [pattern for _, pattern in server._routes]
    asked = {f"mlflow/{path}" for path in re.findall(r"\{API\}/([a-z][\w/{}-]+)", text)}
    assert len(asked) > 15
    assert [path for path in sorted(asked) if not any(re.fullmatch(one, path) for one in known)] == []


def test_of_twenty_threads_one_wins(server):
    address = MlflowServer("http://mlflow.test")

    def claim(number):
        with MlflowHttp(address, transport=httpx.MockTransport(server)) as http:
            return http.do(Claims().claim("wine", "cell", str(number)))

    with ThreadPoolExecutor(20) as pool:
        winners = set(pool.map(claim, range(20)))
    assert len(winners) == 1
    assert len([name for name in server.experiments if name == "airfoil-ledger"]) == 1
