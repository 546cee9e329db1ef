"""Plain HTTP to MLflow: what is tried again, what is not, and what each failure is called."""

import base64

import httpx
import pytest

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import (
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

pytestmark = pytest.mark.unit

URI = "http://mlflow.test:5000"


class Script:
    """A server that gives prepared answers, one per request, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.bodies = []
        self.pauses = []

    def __call__(self, request):
        self.requests.append(request)
        self.bodies.append(request.read())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **server):
        return MlflowHttp(
            MlflowServer(server.pop("uri", URI), **server),
            pause=self.pauses.append,
            transport=httpx.MockTransport(self),
        )


def ok(**body):
    return httpx.Response(200, json=body)


def refused(status, message="no", code="X"):
    return httpx.Response(status, json={"error_code": code, "message": message})


def test_an_answer_is_parsed():
    script = Script(ok(a=1))
    with script.client() as http:
        assert http.get("api/x", name="ü&=") == {"a": 1}
    assert str(script.requests[0].url) == f"{URI}/api/x?name=%C3%BC%26%3D"


def test_an_empty_answer_is_an_empty_object():
    with Script(httpx.Response(200)).client() as http:
        assert http.post("api/x", {}) == {}


def test_a_path_below_the_host_is_kept():
    script = Script(ok())
    with script.client(uri="https://host/base/") as http:
        http.get("/api/x")
    assert str(script.requests[0].url) == "https://host/base/api/x"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("connection refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
        httpx.Response(429),
        httpx.Response(502),
        httpx.Response(503),
    ],
    ids=lambda failure: getattr(failure, "status_code", type(failure).__name__),
)
def test_a_passing_failure_is_tried_again_with_growing_pauses(failure):
    script = Script(failure, failure, ok(a=1))
    with script.client() as http:
        assert http.post("api/x", {}) == {"a": 1}
    assert script.pauses == [0.5, 1.0]


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.Response(502), httpx.Response(504)])
def test_what_may_have_been_carried_out_is_not_sent_twice(failure):
    script = Script(failure)
    with script.client() as http, pytest.raises((ServiceUnreachableError, ServiceAnswerError)):
        http.post("api/x", {}, repeatable=False)
    assert len(script.requests) == 1


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.Response(503)])
def test_what_was_surely_not_carried_out_is_sent_again(failure):
    script = Script(failure, ok(a=1))
    with script.client() as http:
        assert http.post("api/x", {}, repeatable=False) == {"a": 1}


def test_after_the_last_try_the_reason_and_the_next_move_are_told():
    script = Script(*[httpx.ConnectError("connection refused")] * 3)
    with script.client() as http, pytest.raises(ServiceUnreachableError) as caught:
        http.get("api/x")
    assert str(caught.value) == f"MLflow at {URI} cannot be reached: connection refused"
    assert "airfoil up" in caught.value.next_move
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refused(401, "who are you"), ServiceRefusedError, "HTTP 401.*who are you"),
        (httpx.Response(403, text="Invalid Host header"), ServiceRefusedError, "Invalid Host header"),
        (refused(404, "no run 7"), NotFoundError, "no run 7"),
        (refused(400, "Changing param values is not allowed"), ConfigurationError, "Changing param"),
        (refused(500, "boom"), ServiceAnswerError, "HTTP 500.*boom"),
        (httpx.Response(200, text="<html>"), ServiceAnswerError, "does not speak like"),
        (httpx.Response(200, json=[1]), ServiceAnswerError, "does not speak like"),
    ],
)
def test_each_refusal_is_one_of_our_errors_and_is_not_tried_again(answer, error, words):
    script = Script(answer)
    with script.client() as http, pytest.raises(error, match=words):
        http.get("api/x")
    assert not script.pauses


def test_a_long_message_is_cut():
    with Script(refused(500, "x" * 9000)).client() as http, pytest.raises(ServiceAnswerError) as caught:
        http.get("api/x")
    assert len(str(caught.value)) < 700


def test_a_login_is_sent_and_never_shown():
    script = Script(ok())
    with script.client(username="ana", password="s3cret:ü") as http:
        http.get("api/x")
        assert "s3cret" not in repr(http.server)
    given = script.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(given).decode() == "ana:s3cret:ü"


def test_a_token_takes_the_place_of_a_login():
    script = Script(ok())
    with script.client(username="ana", password="x", token="t0ken") as http:
        http.get("api/x")
    assert script.requests[0].headers["Authorization"] == "Bearer t0ken"


def test_a_file_is_sent_whole_on_every_try(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"0123456789")
    script = Script(httpx.ReadTimeout("slow"), httpx.Response(200))
    with script.client() as http:
        http.put("artifacts/model.bin", file)
    assert script.bodies == [b"0123456789", b"0123456789"]


def test_a_certificate_that_nobody_here_trusts_is_a_matter_of_configuration():
    said = (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"
    )
    script = Script(*[httpx.ConnectError(said)] * 3)
    with pytest.raises(ConfigurationError, match="is not trusted here") as caught:
        script.client().get("a")
    assert "ca_file" in caught.value.next_move
