"""Taken ports: a default moves and is remembered, one that the user set is an error that names who has it."""

from __future__ import annotations

import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress

import pytest
from tests.sizes import full_only
from tests.system.faults import assert_gone, assert_nothing_started, begun, refusal, seen, told
from tests.system.platforms import Platform, free_ports, lent

pytestmark = [pytest.mark.system, pytest.mark.alone]

DEFAULTS = {"airflow": 8080, "mlflow": 5000, "page": 8081}
PLACES = ("Größe 100% #1", 'it\'s "ours" & $x; {y}')
"""Where projects may lie: what a shell, a URL, a template or an interpolation might trip over."""
SERVICES = {"airflow": "api-server", "mlflow": "mlflow", "page": "page"}


class Healthy(http.server.BaseHTTPRequestHandler):
    """A server that says about itself what MLflow says."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_):
        """Stay silent."""


@contextmanager
def somebody_else(port):
    """Let another program serve on a port."""
    code = f"import socket; server = socket.create_server(('127.0.0.1', {port})); print(flush=True); input()"
    program = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with program:
        assert program.stdout is not None
        program.stdout.readline()
        try:
            yield program.pid
        finally:
            program.kill()


@contextmanager
def taken(ports):
    """Take those of these ports that are free."""
    with ExitStack() as stack:
        for port in ports:
            holder = stack.enter_context(socket.socket())
            with suppress(OSError):
                holder.bind(("127.0.0.1", port))
                holder.listen()
        yield


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_taken_port_that_the_user_set(new_platform, name):
    (port,) = free_ports(1)
    new_platform.configure({name: {"port": port}})
    with somebody_else(port) as pid:
        said = refusal(new_platform.run("up"))
    assert said.sentence.startswith(f"Port {port}, which you set for {name}, is in use by ")
    assert said.sentence.endswith(f"(process {pid}).")
    assert said.move == f"Stop that program, or set another port as {name}.port in airfoil.toml."
    assert_nothing_started(new_platform)
    assert not new_platform.project.ports_file.exists()


def test_a_port_for_two_services(new_platform):
    new_platform.configure({"airflow": {"port": 5055}, "mlflow": {"port": 5055}})
    said = refusal(new_platform.run("up"))
    assert "airflow.port" in said.sentence
    assert "mlflow.port" in said.sentence
    assert said.move == "Give each service a port of its own."
    assert_nothing_started(new_platform)


def test_a_port_that_is_taken_from_now_on_leaves_a_running_platform_alone(platform):
    before, text = platform.pids(), platform.project.toml.read_bytes()
    (port,) = free_ports(1)
    try:
        with somebody_else(port) as pid:
            platform.configure({"mlflow": {"port": port}})
            said = refusal(platform.run("up"))
        assert f"(process {pid})" in said.sentence
        assert platform.pids() == before
        assert platform.run("status").code == 0
    finally:
        platform.project.toml.write_bytes(text)


def test_default_ports_move_for_two_projects_that_start_at_the_same_moment(tmp_path):
    """And each remembers where it was, though the defaults are free again."""
    with ExitStack() as stack:
        both = []
        for name in PLACES:
            (tmp_path / name).mkdir()
            loan = lent(Platform.make(tmp_path / name))
            both.append(next(loan))
            stack.callback(lambda loan=loan: next(loan, None))
            both[-1].configure({})
        with taken(DEFAULTS.values()):
            with begun(both[0], "up") as first, begun(both[1], "up") as second:
                ended = [first.done(), second.done()]
            assert [done.code for done in ended] == [0, 0], f"{ended[0].said}\n{ended[1].said}"
            ran = both[1].run("run", "simple_test_dag")
            assert ran.code == 0, ran.said
            chosen = [one.ports() for one in both]
            listening = [{port for _, port, _ in one.listeners()} for one in both]
        assert len({*chosen[0].values(), *chosen[1].values(), *DEFAULTS.values()}) == 9
        for name, service in SERVICES.items():
            for ports, done in zip(chosen, ended, strict=True):
                assert DEFAULTS[name] < ports[service] < DEFAULTS[name] + 200
                assert f"http://127.0.0.1:{ports[service]}" in done.out
        assert [set(ports.values()) <= found for ports, found in zip(chosen, listening, strict=True)] == [
            True,
            True,
        ]
        for one, ports in zip(both, chosen, strict=True):
            assert_gone(one)
            remembered = json.loads(one.project.ports_file.read_text(encoding="utf-8"))
            assert {SERVICES[name]: port for name, port in remembered.items()} == ports
        with begun(both[0], "up") as again:
            seen(both[0], "page", "ready")
            again.process.send_signal(signal.SIGINT)
            assert again.done().code == 130
        assert both[0].ports() == chosen[0]


@full_only
def test_another_server_that_snatches_a_port_is_not_taken_for_ours(new_platform):
    """It answers as MLflow would; ours cannot listen, and gives up."""
    (port,) = free_ports(1)
    new_platform.configure({"mlflow": {"port": port}})
    with begun(new_platform, "up") as up:
        seen(new_platform, "setup", "starting")  # the port was chosen, and nobody listens there yet
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Healthy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            said = told(up.done())
        finally:
            server.shutdown()
            server.server_close()
    assert said.sentence.startswith("MLflow did not start: ")
    assert any(f"'127.0.0.1', {port}" in line and "already in use" in line for line in said.evidence)
    assert said.move == "See `airfoil logs mlflow`, mend it, then `airfoil up`."
    assert_gone(new_platform)
