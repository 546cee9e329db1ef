"""A running server seen from outside: what answers at all, old protocols, names that are not its own, and headers."""

from __future__ import annotations

import json
import socket
import ssl
import warnings

import pytest
from tests.deploy import engine

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000)]

# Every port that a service of compose.yaml listens on, and those that people try first.
PORTS = (22, 80, 443, 2019, 2020, 3000, 5000, 5432, 5555, 6379, 6566, 8080, 8081, 8125, 8333, 8793, 8974)
PORTS += (9090, 9093, 9094, 9102, 9121, 9125, 9187, 9333)
SCAN = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def answers(where):
    try:
        socket.create_connection(where, timeout=1.5).close()
    except OSError:
        return None
    return where

places = [(host, port) for host in sys.argv[1].split(",") for port in json.loads(sys.argv[2])]
with ThreadPoolExecutor(64) as pool:
    print(json.dumps([one for one in pool.map(answers, places) if one]))
"""


@pytest.fixture(scope="module")
def addresses(server):
    """Which service is where in the private network, and that network's name."""
    found = {}
    for name in server.compose("ps", "--quiet").split():
        (one,) = json.loads(engine.docker("inspect", name))
        ((network, place),) = one["NetworkSettings"]["Networks"].items()
        found[place["IPAddress"]] = one["Config"]["Labels"]["com.docker.compose.service"]
    return found, network


def scan(server, network, hosts):
    """Knock at every port of every host, from a container in a network."""
    image = server.variables.get("STATUS_IMAGE") or f"airfoil/status:{server.variables['AIRFOIL_TAG']}"
    command = ("run", "--rm", "--network", network, "--entrypoint", "python", image)
    said = engine.docker(*command, "-c", SCAN, ",".join(hosts), json.dumps(PORTS), timeout=300)
    return {tuple(one) for one in json.loads(said)}


def test_nothing_answers_in_another_network(server, addresses):
    hosts, network = addresses
    inside = {(hosts[host], port) for host, port in scan(server, network, hosts)}
    assert {("postgres", 5432), ("redis", 6379), ("mlflow", 5000), ("proxy", 443)} <= inside
    assert scan(server, "bridge", hosts) == set()


@pytest.fixture
def https(server):
    """Host and port of the proxy."""
    host, _, port = server.variables["HTTPS_PORT"].rpartition(":")
    return host or "127.0.0.1", int(port)


def handshake(https, version, name):
    """Speak one version of TLS; what was agreed upon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # this side agrees to anything
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(https, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        return wrapped.version(), wrapped.cipher()[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda one: one.name)
def test_old_protocols_are_refused(server, https, version):
    with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
        handshake(https, version, server.variables["AIRFOIL_HOST"])


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda one: one.name
)
def test_today_s_protocols_are_spoken_with_strong_ciphers(server, https, version):
    spoken, cipher = handshake(https, version, server.variables["AIRFOIL_HOST"])
    assert spoken in {"TLSv1.2", "TLSv1.3"}
    assert "GCM" in cipher or "CHACHA20" in cipher, cipher


@pytest.mark.parametrize("path", ["/", "/mlflow/", "/status/", "/auth/login/", "/nothing-here"])
def test_every_answer_carries_the_headers_that_keep_browsers_safe(server, path):
    with server.client(cookies={"_token": server.token()}) as client:
        answer = client.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] in {"SAMEORIGIN", "DENY"}
    assert answer.headers["Referrer-Policy"]
    assert "Caddy" not in answer.headers.get("Server", "")


@pytest.mark.parametrize(
    "path", ["/", "/mlflow/", "/mlflow/api/2.0/mlflow/experiments/search", "/airfoil/metrics"]
)
def test_a_name_that_is_not_the_server_s_shows_nothing(server, path):
    with server.client(auth=server.mlflow_login) as client:
        answer = client.get(path, headers={"Host": "evil.example.com"})
    assert answer.status_code >= 400 or answer.content == b"", answer.text[:300]


def test_mlflow_itself_refuses_a_foreign_name(server):
    code = (
        "import urllib.request as u, urllib.error as e\n"
        "ask = u.Request('http://mlflow:5000/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0',"
        " headers={'Host': 'evil.example.com'})\n"
        "try: print(u.urlopen(ask).status)\n"
        "except e.HTTPError as error: print(error.code, error.read().decode()[:200])"
    )
    said = server.compose("exec", "-T", "airflow-worker", "python", "-c", code)
    assert said.startswith("403"), said
    assert "Host" in said


@pytest.mark.parametrize(
    "path", ["/metrics", "/airfoil/metrics", "/mlflow/metrics", "/flower/metrics", "/status/metrics"]
)
def test_metrics_are_not_for_everybody(server, path):
    with server.client(follow_redirects=False) as client:
        answer = client.get(path)
    assert answer.status_code in {401, 403, 404} or "airfoil_" not in answer.text, path
    assert "flower_" not in answer.text
    assert "mlflow_http" not in answer.text
