"""Meeting a server: every way in which it may turn out to be none for us is one sentence and a next move."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from airfoil.errors import AirfoilError
from airfoil.stack import introduction
from airfoil.stack.servers import Server

pytestmark = pytest.mark.unit

SEARCH = "/api/2.0/mlflow/experiments/search"
PASSWORD = "pw-of-ann"
HTML = "<!doctype html><html><body>Hello</body></html>"


@pytest.fixture(autouse=True)
def _no_authority(monkeypatch):
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def mlflow(url: str, username: str = "ann", password: str = PASSWORD) -> Server:
    return Server("mlflow", url, username, password)


def airflow(url: str, username: str = "ann", password: str = PASSWORD) -> Server:
    return Server("airflow", url, username, password)


def refusal(server: Server, timeout_seconds: float = 5) -> AirfoilError:
    with pytest.raises(AirfoilError) as error:
        introduction.meet(server, timeout_seconds)
    assert error.value.next_move
    assert "\n" not in error.value.message
    assert PASSWORD not in f"{error.value} {error.value.next_move}"
    return error.value


# -- MLflow


def test_a_good_mlflow_says_its_version_and_is_asked_for_nothing_more(http_server, answer):
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", SEARCH, answer({}))
    assert introduction.meet(mlflow(http_server.url)) == "3.17.2"
    assert [request.method for request in http_server.requests] == ["GET", "POST"]
    assert all(request.headers["authorization"].startswith("Basic ") for request in http_server.requests)


def test_a_prefix_in_the_address_is_kept(http_server, answer):
    http_server.on("GET", "/ml/version", answer("3.5.0"))
    http_server.on("POST", f"/ml{SEARCH}", answer({"experiments": []}))
    assert introduction.meet(mlflow(f"{http_server.url}/ml")) == "3.5.0"


def test_a_wrong_password_and_none_are_told_apart(http_server, answer):
    http_server.on("GET", "/version", answer("You are not authenticated", 401))
    assert "refused the password of ann" in refusal(mlflow(http_server.url)).message
    none = refusal(mlflow(http_server.url, "", ""))
    assert "we have no login" in none.message
    assert "`airfoil connections set mlflow_default`" in none.next_move
    assert "AIRFOIL_MLFLOW_PASSWORD" in none.next_move
    assert "we have no password" in refusal(mlflow(http_server.url, "ann", "")).message


def test_an_open_version_does_not_prove_the_login(http_server, answer):
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", SEARCH, answer("no", 401))
    assert "refused the password" in refusal(mlflow(http_server.url)).message


def test_a_name_that_the_server_does_not_know_itself_by(http_server, answer):
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", SEARCH, answer("Invalid Host header", 403))
    error = refusal(mlflow(http_server.url))
    assert "Invalid Host header" in error.message
    assert "--allowed-hosts" in error.next_move


def test_a_permission_that_is_missing(http_server, answer):
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", SEARCH, answer({"message": "Permission denied"}, 403))
    assert "does not let us in as ann" in refusal(mlflow(http_server.url)).message


@pytest.mark.parametrize(
    "body", [HTML, {"version": "1"}, "3", "", "x" * 100_000, b"\xff\xfe3.1", "2026-11-21"]
)
def test_another_server_is_no_mlflow(http_server, answer, body):
    http_server.on("GET", "/version", answer(body))
    http_server.on("POST", SEARCH, answer(body))
    assert "is not an MLflow server" in refusal(mlflow(http_server.url)).message


def test_a_server_that_knows_no_such_page_is_no_mlflow(http_server):
    assert "is not an MLflow server" in refusal(mlflow(http_server.url)).message


def test_an_api_that_gives_a_page_is_no_mlflow(http_server, answer):
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", SEARCH, answer(HTML))
    assert "is not an MLflow server" in refusal(mlflow(http_server.url)).message


@pytest.mark.parametrize("version", ["2.22.1", "1.30.0", "0.9.1"])
def test_too_old_an_mlflow_is_named(http_server, answer, version):
    http_server.on("GET", "/version", answer(version))
    assert f"is version {version}; 3.0 or newer is needed" in refusal(mlflow(http_server.url)).message


def test_a_failing_server_is_told_from_a_wrong_one(http_server, answer):
    http_server.on("GET", "/version", answer(HTML, 500))
    error = refusal(mlflow(http_server.url))
    assert "failed (500)" in error.message
    assert "mlflow.url" in error.next_move


def test_a_silent_server_costs_no_more_than_the_patience(http_server, hang):
    http_server.on("GET", "/version", hang)
    assert "did not answer within 0.2 s" in refusal(mlflow(http_server.url), 0.2).message


def test_nothing_there(http_server):
    assert "does not answer" in refusal(mlflow("http://127.0.0.1:9")).message


# -- Airflow


def good_airflow(server, answer) -> None:
    server.on("GET", "/api/v2/version", answer({"version": "3.3.2", "git_version": None}))
    server.on("POST", "/auth/token", answer({"access_token": "t"}, 201))


def test_a_good_airflow_says_its_version_after_a_login(http_server, answer):
    good_airflow(http_server, answer)
    assert introduction.meet(airflow(http_server.url)) == "3.3.2"
    assert http_server.asked("/auth/token")[0].body == {"username": "ann", "password": "pw-of-ann"}


def test_an_airflow_2_is_too_old(http_server, answer):
    http_server.on("GET", "/api/v1/version", answer({"version": "2.10.5"}))
    assert "is version 2.10.5; 3.0 or newer is needed" in refusal(airflow(http_server.url)).message


def test_a_wrong_password_at_airflow(http_server, answer):
    good_airflow(http_server, answer)
    http_server.on("POST", "/auth/token", answer({"detail": "Invalid credentials"}, 401))
    error = refusal(airflow(http_server.url))
    assert "refused the password of ann" in error.message
    assert "`airfoil connections set airflow`" in error.next_move


def test_no_login_at_airflow_is_said_before_one_is_tried(http_server, answer):
    good_airflow(http_server, answer)
    assert "we have no login" in refusal(airflow(http_server.url, "", "")).message
    assert http_server.asked("/auth/token") == []


@pytest.mark.parametrize("body", [HTML, [1], {"name": "x"}, {"version": None}, {"version": HTML}])
def test_another_server_is_no_airflow(http_server, answer, body):
    http_server.on("GET", "/api/v2/version", answer(body))
    assert "is not an Airflow server" in refusal(airflow(http_server.url)).message


@pytest.mark.parametrize(
    ("status", "body"), [(200, HTML), (404, {"detail": "Not Found"}), (201, {"token": "x"})]
)
def test_an_airflow_with_single_sign_on_only_is_named(http_server, answer, status, body):
    good_airflow(http_server, answer)
    http_server.on("POST", "/auth/token", answer(body, status))
    assert "gives out no tokens" in refusal(airflow(http_server.url)).message


# -- redirects and TLS, by servers of a few lines


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "https://sso.example.com/login?next=secret-token")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@pytest.fixture
def redirecting():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("make", [mlflow, airflow])
def test_a_login_page_is_recognised(redirecting, make):
    error = refusal(make(f"http://127.0.0.1:{redirecting.server_address[1]}"))
    assert "sends us on to https://sso.example.com/login, as a login page" in error.message
    assert "secret-token" not in error.message


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate")
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", str(key), "-out", str(pem), "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


@pytest.fixture
def over_tls(redirecting, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    redirecting.socket = context.wrap_socket(redirecting.socket, server_side=True)
    return f"https://127.0.0.1:{redirecting.server_address[1]}"


def test_a_certificate_that_is_not_trusted(over_tls):
    error = refusal(mlflow(over_tls))
    assert "is not trusted (self-signed certificate)" in error.message.replace("self signed", "self-signed")
    assert "SSL_CERT_FILE" in error.next_move


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_honoured(over_tls, certificate, monkeypatch, name):
    monkeypatch.setenv(name, str(certificate[1]))
    assert "sends us on to" in refusal(mlflow(over_tls)).message, "TLS was no hindrance any more"


def test_a_private_authority_counts_beside_one_for_everybody(over_tls, certificate, monkeypatch):
    import certifi

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    assert "sends us on to" in refusal(mlflow(over_tls)).message


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_file_of_authorities_that_is_none_is_named(over_tls, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    error = refusal(mlflow(over_tls))
    assert error.message.startswith(f"{name} names ")


def test_tls_where_there_is_none(redirecting):
    error = refusal(mlflow(f"https://127.0.0.1:{redirecting.server_address[1]}"))
    assert "does not speak TLS" in error.message
    assert "http://" in error.next_move
