"""Asking about a port, with real sockets on this machine."""

import errno
import os
import socket

import psutil
import pytest

from airfoil.stack import port_probe

pytestmark = pytest.mark.unit

HOST = "127.0.0.1"


def listening(host: str = HOST) -> socket.socket:
    return socket.create_server((host, 0), family=socket.AF_INET)


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_free_port_and_a_busy_one():
    with listening() as server:
        problem = port_probe.blocked_by(HOST, port_of(server))
        assert problem is not None
        assert problem.errno == errno.EADDRINUSE
    assert port_probe.blocked_by(HOST, port_of_closed()) is None


def port_of_closed() -> int:
    with listening() as server:
        return port_of(server)


def test_a_server_on_all_addresses_blocks_loopback_and_the_reverse():
    with listening("") as server:
        assert port_probe.blocked_by(HOST, port_of(server)) is not None
    with listening() as server:
        assert port_probe.blocked_by("0.0.0.0", port_of(server)) is not None  # noqa: S104 - the probe sends nothing


def test_connections_that_were_just_closed_do_not_block():
    server = listening()
    port = port_of(server)
    with socket.create_connection((HOST, port)), server.accept()[0] as accepted:
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
    server.close()
    assert port_probe.blocked_by(HOST, port) is None


def test_a_name_is_probed_on_all_its_addresses():
    with listening() as server:
        assert port_probe.blocked_by("localhost", port_of(server)) is not None
    assert port_probe.blocked_by("localhost", port_of_closed()) is None


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "x" * 70, "a\0b"])
def test_a_host_that_is_not_this_machine(host, monkeypatch):
    if host.endswith(".invalid"):

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    problem = port_probe.blocked_by(host, 8080)
    assert problem is not None
    assert "is not an address of this machine" in port_probe.explain_taken(host, 8080)


def test_a_port_for_root_only(monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert port_probe.explain_taken(HOST, 80) == "may be opened by root only"


def test_the_owner_is_found_and_named():
    with listening() as server:
        owner = port_probe.owner_of(port_of(server))
        assert owner is not None
        assert owner.pid == os.getpid()
        assert f"(process {os.getpid()})" in port_probe.explain_taken(HOST, port_of(server))
    assert port_probe.owner_of(port_of_closed()) is None


def test_a_stranger_is_who_listens_while_none_of_ours_does():
    with listening() as server:
        assert f"(process {os.getpid()})" in port_probe.stranger_on(port_of(server), [1])
        assert port_probe.stranger_on(port_of(server), [1, os.getpid()]) == ""
    assert port_probe.stranger_on(port_of_closed(), []) == ""


def test_an_owner_that_is_hidden(monkeypatch):
    def refuse(**_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    with listening() as server:
        assert port_probe.owner_of(port_of(server)) is None
        assert port_probe.stranger_on(port_of(server), []) == "", (
            "who is not seen is given the benefit of the doubt"
        )
        assert "that you may not see" in port_probe.explain_taken(HOST, port_of(server))
        assert not port_probe.owned_by_stack(port_of(server), "x")


def test_a_port_belongs_to_the_stack_whose_mark_its_owner_carries(monkeypatch):
    monkeypatch.setattr(psutil.Process, "environ", lambda _self: {"AIRFOIL_STACK_ID": "ours"})
    with listening() as server:
        assert port_probe.owned_by_stack(port_of(server), "ours")
        assert not port_probe.owned_by_stack(port_of(server), "theirs")
        assert not port_probe.owned_by_stack(port_of(server), "")
