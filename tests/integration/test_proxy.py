"""The shipped Caddyfile in a real Caddy: paths and hosts, the door before every page, the login's cookie, buckets.

Behind it stands one small server in the place of all the others. It tells what reached it; as Airflow it lets in who
has a cookie that names a role, by the table of the real door. The door itself is tried in test_door,
test_login_directory and test_login_openid. The S3 store that the Compose tests run has no page of buckets: that is
SeaweedFS's, and here is the door before it alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.integration.directory import UNPACKED
from tests.integration.servers import free_port, listening, missing, wait_until

from airfoil.provider.views import door
from airfoil.stack.deploy import hosts, shipped

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

HOST = "ml.airfoil.test"
BEHIND = (
    *("airflow-api-server:8080", "mlflow:5000", "flower:5555", "feature-server:6566", "status:8081"),
    *("prometheus:9090", "alertmanager:9093", "grafana:3000", "s3:8888"),
)
PROFILES = ("s3", "mlflow", "features", "flower", "metrics", "status", "grafana")
HTML = {"Accept": "text/html,*/*"}


class Behind(BaseHTTPRequestHandler):
    """Airflow's door and login, and whatever is asked."""

    def do_GET(self) -> None:
        role = self.headers.get("Cookie", "").partition("_token=")[2].partition(";")[0]
        if urlsplit(self.path).path == "/airfoil/door":
            wanted = self.headers["X-Forwarded-Uri"]
            if not role:
                self._say(302, {"Location": f"https://{HOST}/auth/login/?next={wanted}"}, {})
            elif not self._may(role, self.headers["X-Forwarded-Method"], door.path_of(wanted)):
                self._say(403, {}, {})
            else:
                names = {"X-Airfoil-User": "ada", "X-Airfoil-Role": role}
                self._say(204, names | {"X-Airfoil-Grafana-Role": role.capitalize()}, None)
        elif self.path == "/auth/login/":
            cookies = ["session=s; HttpOnly; Path=/", "_token=admin; HttpOnly; Path=/; Secure"]
            self._say(200, {"Set-Cookie": cookies}, {})
        else:
            ours = "x-airfoil"
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower().replace("_", "-").startswith(ours)
            }
            self._say(200, {}, {"path": self.path, "method": self.command, "headers": headers})

    def _may(self, role: str, method: str, path: str) -> bool:
        page = door.page_of(path)
        return page is not None and door.Role[role.upper()] >= door.needed(page, method, path)

    do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815 - the base class names them so

    def _say(self, status, headers, body) -> None:
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, values in headers.items():
            for value in [values] if isinstance(values, str) else values:
                self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the test output quiet."""


@pytest.fixture(scope="module")
def behind():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


class Proxy:
    """A running Caddy, asked by the names that people type."""

    def __init__(self, folder: Path, port: int, plain_port: int) -> None:
        self.port, self.plain_port = port, plain_port
        self._authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def ask(
        self, host: str, path: str, method: str = "GET", role: str = "", **headers: str
    ) -> httpx.Response:
        if role:
            headers["Cookie"] = f"_token={role}"
        with httpx.Client(
            verify=ssl.create_default_context(cafile=str(self._authority)), trust_env=False, timeout=60
        ) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers={"Host": f"{host}:{self.port}", **headers},
                extensions={"sni_hostname": host},
            )

    def raw(self, path: str, method: str, role: str) -> int:
        """Ask for a path that no client would send as it is, and return the status."""
        context = ssl.create_default_context(cafile=str(self._authority))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as line,
        ):
            said = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: _token={role}\r\n"
            line.sendall(f"{said}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return int(line.makefile("rb").readline().split()[1])

    def ready(self) -> bool:
        with contextlib.suppress(OSError, httpx.TransportError):
            return self._authority.exists() and self.ask(HOST, "/x").is_success
        return False


@contextlib.contextmanager
def running_proxy(folder: Path, behind: int, switch: str, profiles=PROFILES):
    """Start the shipped Caddyfile with other ports, and with the one server in the place of the others."""
    beside = shutil.which("caddy")
    program = Path(beside) if beside else UNPACKED / "usr" / "bin" / "caddy"
    if not program.exists():
        missing("Caddy", "caddy")
    folder.mkdir()
    port, plain_port = free_port(), free_port()
    text = (shipped.folder("compose") / "Caddyfile").read_text(encoding="utf-8")
    for one in BEHIND:
        assert one in text
        text = text.replace(one, f"127.0.0.1:{behind}")
    ports = f"admin off\n\thttps_port {port}\n\thttp_port {plain_port}"
    text = text.replace("admin off", ports, 1).replace(":2020", f":{free_port()}")
    (folder / "Caddyfile").write_text(text)
    url = f"https://{HOST}:{port}"
    given = {"AIRFOIL_HOST": HOST, "AIRFOIL_SUBDOMAINS": switch}
    environment = {
        **os.environ,
        **given,
        **hosts.derived(given, url, profiles),
        "AIRFOIL_URL": url,
        "AIRFOIL_TLS": "internal",
        "AIRFOIL_TLS_EMAIL": "",
        "EDGE_WORKERS": "false",
        "MLFLOW_PROXY_SECRET": "of-this-test-alone",
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
    proxy = Proxy(folder, port, plain_port)
    try:
        wait_until(lambda: listening(port) and proxy.ready(), process, log)
        yield proxy
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def paths(behind, tmp_path_factory):
    with running_proxy(tmp_path_factory.mktemp("paths") / "caddy", behind, "false") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def names(behind, tmp_path_factory):
    with running_proxy(tmp_path_factory.mktemp("names") / "caddy", behind, "true") as proxy:
        yield proxy


@pytest.mark.parametrize("page", [*hosts.PAGES, "status"])
def test_a_page_has_its_path_and_the_door_before_it(paths, page):
    stranger = paths.ask(HOST, f"/{page}/x?y=1", **HTML)
    assert (stranger.status_code, stranger.headers["Location"]) == (
        302,
        f"https://{HOST}/auth/login/?next=/{page}/x?y=1",
    )
    said = paths.ask(HOST, f"/{page}/x?y=1", role="admin", **HTML).json()
    assert said["path"] == ("/x?y=1" if page == "features" else f"/{page}/x?y=1")
    assert said["headers"]["X-Airfoil-User"] == "ada"
    assert ("X-Airfoil-Proxy-Secret" in said["headers"]) == (page == "mlflow")


def test_nobody_says_himself_who_he_is(paths, names):
    lies = {"X-Airfoil-User": "root", "X-Airfoil-Role": "admin", "X-Airfoil-Proxy-Secret": "x"}
    lies |= {name.replace("-", "_"): value for name, value in lies.items()}
    lies |= {"X-Airfoil_User": "root", "x_airfoil-role": "admin", "X-Airfoil-Grafana-Role": "Admin"}
    ours = {"X-Airfoil-User", "X-Airfoil-Role", "X-Airfoil-Grafana-Role", "X-Airfoil-Proxy-Secret"}
    for proxy, host in ((paths, HOST), (names, HOST), (names, f"mlflow.{HOST}")):
        said = proxy.ask(host, "/mlflow/", role="viewer", **lies).json()["headers"]
        assert (said["X-Airfoil-User"], said["X-Airfoil-Role"]) == ("ada", "viewer")
        assert said["X-Airfoil-Grafana-Role"] == "Viewer"
        assert set(said) == ours, "nothing that WSGI would take for one of these"
        assert proxy.ask(host, "/mlflow/", Authorization="Basic eDp5", **lies).json()["headers"] == {}
    assert paths.ask(HOST, "/api/v2/dags", **lies).json()["headers"] == {}


@pytest.mark.parametrize("page", hosts.PAGES)
def test_a_page_has_its_host_with_and_without_the_path(names, page):
    host = f"{page}.{HOST}"
    for path in ("/x?y=1", f"/{page}/x?y=1"):
        stranger = names.ask(host, path, **HTML)
        assert stranger.headers["Location"] == f"https://{HOST}/auth/login/?next=/{page}/x?y=1"
        said = names.ask(host, path, role="admin", **HTML).json()
        assert said["path"] == ("/x?y=1" if page == "features" else f"/{page}/x?y=1")


def test_who_comes_back_from_the_login_is_sent_on_to_the_host_of_the_page(names):
    said = names.ask(HOST, "/mlflow/?workspace=a", role="admin", **HTML)
    assert (said.status_code, said.headers["Location"]) == (
        302,
        f"https://mlflow.{HOST}:{names.port}/mlflow/?workspace=a",
    )


def test_programs_keep_their_addresses(names):
    assert (
        names.ask(HOST, "/mlflow/api/2.0/x", Authorization="Basic eDp5", **HTML).json()["path"]
        == "/mlflow/api/2.0/x"
    )
    assert names.ask(HOST, "/mlflow/api/2.0/x", "POST", role="admin").json()["method"] == "POST"
    bare = names.ask(f"mlflow.{HOST}", "/api/2.0/mlflow/runs/search", "POST", Authorization="Basic eDp5")
    assert bare.json()["path"] == "/mlflow/api/2.0/mlflow/runs/search"


def test_a_host_of_a_page_shows_nothing_of_airflow(names):
    for path in ("/api/v2/dags", "/auth/login/", "/execution/health", "/flower/"):
        assert names.ask(f"mlflow.{HOST}", path, role="admin").json()["path"] == f"/mlflow{path}"


def test_a_login_counts_on_every_host_where_there_are_more_and_on_one_alone_where_there_is_one(paths, names):
    one = paths.ask(HOST, "/auth/login/").headers.get_list("Set-Cookie")
    assert one == ["session=s; HttpOnly; Path=/", "_token=admin; HttpOnly; Path=/; Secure"]
    more = names.ask(HOST, "/auth/login/").headers.get_list("Set-Cookie")
    assert more == [one[0], f"{one[1]}; Domain={HOST}"], "Airflow's own session stays where it is"


def test_the_buckets_are_for_administrators_to_look_at(paths, names):
    for proxy, host in ((paths, HOST), (names, f"buckets.{HOST}")):
        assert proxy.ask(host, "/buckets/mlflow/", role="viewer").status_code == 403
        assert proxy.ask(host, "/seaweedfsstatic/x.css", role="viewer").status_code == 403
        assert (
            proxy.ask(host, "/seaweedfsstatic/x.css", role="admin").json()["path"] == "/seaweedfsstatic/x.css"
        )
        for method in ("POST", "PUT", "DELETE"):
            assert proxy.ask(host, "/buckets/mlflow/x", method, role="admin").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "//buckets/mlflow/x",
        "/mlflow/%2e%2e/buckets/mlflow/x",
        "/mlflow/../buckets/mlflow/x",
        "/mlflow/x/%252e%252e/%252e%252e/buckets/x",
        "/mlflow/..%2fbuckets/mlflow/x",
        "/mlflow/%2e%2e/flower/api/workers",
        "//flower/api/workers",
        "/mlflow/./../flower/",
        "/BUCKETS/mlflow/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_page_that_the_proxy_chooses_is_the_one_that_the_door_judges(paths, path, method):
    said = paths.raw(path, method, role="viewer")
    assert said in {403, 405}, f"{method} {path} of a viewer passed"
    assert paths.raw("/mlflow/x", method, role="viewer") == 200


def test_a_page_that_somebody_stored_can_be_looked_at_and_does_nothing(paths, names):
    for proxy, host in ((paths, HOST), (names, f"buckets.{HOST}")):
        said = proxy.ask(host, "/buckets/mlflow/x.html", role="admin").headers
        rules = dict(rule.strip().partition(" ")[::2] for rule in said["Content-Security-Policy"].split(";"))
        assert set(rules["sandbox"].split()) == {"allow-same-origin", "allow-downloads"}, (
            "no scripts, no forms"
        )
        assert (rules["script-src"], rules["form-action"]) == ("'none'", "'none'")
        assert said["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in paths.ask(HOST, "/api/v2/dags").headers


def test_a_store_of_somebody_else_has_no_page_of_buckets(behind, tmp_path):
    with running_proxy(tmp_path / "caddy", behind, "false", profiles=("mlflow",)) as proxy:
        assert proxy.ask(HOST, "/buckets/", role="admin").status_code == 404


@pytest.mark.parametrize(
    ("host", "becomes"),
    [(HOST, HOST), (f"mlflow.{HOST}", f"mlflow.{HOST}"), ("other.example.com", HOST), (f"x.{HOST}", HOST)],
)
def test_plain_http_leads_to_the_same_host_if_it_is_one_of_ours(names, host, becomes):
    said = httpx.get(
        f"http://127.0.0.1:{names.plain_port}/mlflow/?a=1",
        headers={"Host": host},
        trust_env=False,
        timeout=60,
    )
    assert said.headers["Location"] == f"https://{becomes}:{names.port}/mlflow/?a=1"


def test_other_names_are_not_answered(paths, names):
    for proxy, host in ((paths, f"mlflow.{HOST}"), (names, f"x.{HOST}")):
        with pytest.raises(httpx.TransportError):
            proxy.ask(host, "/")
