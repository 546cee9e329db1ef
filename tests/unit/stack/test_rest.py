import pytest

from airfoil.errors import NeighbourError, ServiceAnswerError, ServiceRefusedError, ServiceUnreachableError
from airfoil.stack import rest

pytestmark = pytest.mark.unit


@pytest.fixture
def service(http_server):
    found = rest.JsonService("Airflow", http_server.url + "/", timeout_seconds=2)
    yield found
    found.close()


def test_path_quotes_each_segment():
    assert rest.path("dags", "a b", "manual__2026-11-20T10:00:00+00:00") == (
        "/dags/a%20b/manual__2026-11-20T10%3A00%3A00%2B00%3A00"
    )
    assert rest.path("dags", "~", "x/y") == "/dags/~/x%2Fy"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.3.2.1", True),
        ("http://[::1]:5000", True),
        ("http://localhost:5000", True),
        ("https://mlflow.example.org", False),
        ("http://10.0.0.7", False),
    ],
)
def test_loopback(url, expected):
    assert rest.is_loopback(url) is expected


def test_object_gives_the_parsed_body(service, http_server, answer):
    http_server.on("GET", "/x", answer({"a": "é"}))

    assert service.object(service.send("GET", "/x", query={"q": "1 2"})) == {"a": "é"}
    assert http_server.requests[0].query == {"q": "1 2"}


def test_nobody_there_is_unreachable_with_a_next_move():
    service = rest.JsonService("Airflow", "http://127.0.0.1:1", timeout_seconds=1)

    with pytest.raises(
        ServiceUnreachableError, match=r"^Airflow at http://127.0.0.1:1 does not answer"
    ) as caught:
        service.send("GET", "/")

    assert "airfoil status" in caught.value.next_move
    assert caught.value.__cause__ is not None
    service.close()


def test_an_answer_that_does_not_come_is_unreachable(http_server, hang):
    http_server.on("GET", "/", hang)
    service = rest.JsonService("MLflow", http_server.url, timeout_seconds=0.05)

    with pytest.raises(ServiceUnreachableError, match=r"did not answer within 0\.05 s\.$"):
        service.send("GET", "/")

    service.close()


def test_an_address_that_is_none_is_unreachable():
    service = rest.JsonService("MLflow", "http://", timeout_seconds=1)

    with pytest.raises(ServiceUnreachableError):
        service.send("GET", "/")

    service.close()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_its_own_failure_is_worth_waiting_for(service, http_server, answer, status):
    http_server.on("GET", "/", answer({"detail": {"reason": "database is locked"}}, status))

    with pytest.raises(ServiceUnreachableError, match=rf"failed \({status}\)\.$"):
        service.send("GET", "/")


@pytest.mark.parametrize("body", ["<html>hello</html>", "", b"\xff\xfe{}", '{"half":'])
def test_garbage_is_an_answer_error(service, http_server, answer, body):
    http_server.on("GET", "/", answer(body))

    with pytest.raises(ServiceAnswerError, match="not JSON") as caught:
        service.object(service.send("GET", "/"))

    assert "airfoil doctor" in caught.value.next_move


def test_json_of_another_shape_is_an_answer_error(service, http_server, answer):
    http_server.on("GET", "/", answer([1, 2]))

    with pytest.raises(ServiceAnswerError, match="a JSON list, not an object"):
        service.object(service.send("GET", "/"))


@pytest.mark.parametrize("rows", [None, {}, [1], "x"])
def test_rows_must_be_a_list_of_objects(service, rows):
    with pytest.raises(ServiceAnswerError, match="without a list of dags"):
        service.rows({"dags": rows}, "dags")


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (401, {"detail": "Invalid token"}, ServiceRefusedError, r"refused us \(401: Invalid token\)\.$"),
        (403, {}, ServiceRefusedError, r"refused us \(403\)\.$"),
        (404, {"detail": "no such\nthing."}, ServiceAnswerError, r"\(404: no such thing\)\.$"),
        (400, {"error_code": "X", "message": "bad filter"}, ServiceAnswerError, r"\(400: bad filter\)\.$"),
        (
            422,
            {"detail": [{"msg": "Field required"}, "odd"]},
            ServiceAnswerError,
            r"422: Field required; odd",
        ),
        (400, "<html>", ServiceAnswerError, r"\(400\)\.$"),
    ],
)
def test_error_statuses(service, http_server, answer, status, body, kind, text):
    http_server.on("GET", "/", answer(body, status))

    with pytest.raises(kind, match=text) as caught:
        service.object(service.send("GET", "/"))

    assert isinstance(caught.value, NeighbourError)


def test_a_long_detail_is_cut(service, http_server, answer):
    http_server.on("GET", "/", answer({"detail": "x" * 5000}, 400))

    with pytest.raises(ServiceAnswerError) as caught:
        service.object(service.send("GET", "/"))

    assert len(str(caught.value)) < 400


def test_a_proxy_from_the_environment_is_not_asked_about_this_machine(monkeypatch, http_server, answer):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    http_server.on("GET", "/", answer({}))
    service = rest.JsonService("Airflow", http_server.url, timeout_seconds=2)

    assert service.object(service.send("GET", "/")) == {}

    service.close()
