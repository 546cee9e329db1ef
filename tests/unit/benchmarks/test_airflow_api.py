import json

import httpx
import pytest
from benchmarks import airflow_api
from benchmarks.airflow_api import AirflowApi

pytestmark = pytest.mark.unit


class Server:
    """Answers from a list of status codes, then with 200."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            return httpx.Response(
                201, json={"access_token": f"token-of-{json.loads(request.content)['password']}"}
            )
        self.seen.append(request)
        return httpx.Response(self.codes.pop(0) if self.codes else 200, json={"state": "success"})


@pytest.fixture
def connect(monkeypatch):
    monkeypatch.setattr(airflow_api.time, "sleep", lambda _: None)

    def connect_to(server: Server) -> AirflowApi:
        api = AirflowApi("http://airflow", lambda: "secret")
        api._client = httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(server))
        return api

    return connect_to


def test_logs_in_and_again_when_refused(connect):
    server = Server(401)
    api = connect(server)
    assert api.run("d", "r") == {"state": "success"}
    assert [request.headers["Authorization"] for request in server.seen] == ["Bearer token-of-secret"] * 2
    assert api.server_errors == 0


def test_errors_of_a_busy_server_are_counted_and_passed_over(connect):
    api = connect(Server(500, 503))
    assert api.run("d", "r") == {"state": "success"}
    assert api.server_errors == 2


def test_repeated_request_starts_no_second_run(connect):
    server = Server(500, 409)
    api = connect(server)
    run_id = api.trigger("d")
    assert {json.loads(request.content)["dag_run_id"] for request in server.seen} == {run_id}


def test_our_own_mistakes_are_not_passed_over(connect):
    with pytest.raises(httpx.HTTPStatusError):
        connect(Server(404)).run("d", "r")


def test_server_that_never_recovers_is_an_error(connect):
    with pytest.raises(httpx.HTTPStatusError):
        connect(Server(*[500] * 60)).run("d", "r")
