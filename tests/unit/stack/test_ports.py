"""Ports: defaults move and are remembered, what the user set does not, two projects do not collide."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from airfoil.errors import ConfigurationError, PortTakenError
from airfoil.settings import Settings
from airfoil.stack.ports import SEARCH_WIDTH, Ports, PortWish, choose, wishes_of
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

HOST = "127.0.0.1"
WISHES = {
    "airflow": PortWish(HOST, 8080, user_set=False),
    "mlflow": PortWish(HOST, 5000, user_set=False),
    "page": PortWish(HOST, 8081, user_set=False),
}
DEFAULTS = {"airflow": 8080, "mlflow": 5000, "page": 8081}


def test_features_have_a_port_where_they_are_served():
    served = Settings.model_validate({"feast": {"server": True}})
    assert wishes_of(served)["feast"] == PortWish(HOST, 6566, user_set=False)
    assert set(wishes_of(Settings())) == {"airflow", "mlflow", "page"}


def free_except(*taken: int):
    return lambda _host, port: port not in taken


def made(folder: Path) -> Project:
    folder.mkdir(parents=True)
    project = Project(folder)
    project.prepare()
    return project


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return port_of(server)


# -- choosing, without a socket


def test_free_defaults_are_taken():
    assert choose(WISHES, {}, free_except()) == DEFAULTS


def test_a_taken_default_moves_past_the_wishes_of_others():
    assert choose(WISHES, {}, free_except(8080)) == {**DEFAULTS, "airflow": 8082}
    assert choose(WISHES, {}, free_except(8080, 8082, 5000)) == {
        "airflow": 8083,
        "mlflow": 5001,
        "page": 8081,
    }


def test_two_neighbours_that_both_move_do_not_meet():
    assert choose(WISHES, {}, free_except(8080, 8081)) == {"airflow": 8082, "mlflow": 5000, "page": 8083}


def test_a_remembered_port_is_kept_while_it_is_free():
    assert choose(WISHES, {"airflow": 8090}, free_except(8080)) == {**DEFAULTS, "airflow": 8090}
    assert choose(WISHES, {"airflow": 8090}, free_except()) == {**DEFAULTS, "airflow": 8090}


def test_a_remembered_port_that_was_taken_meanwhile_falls_back_to_the_default():
    assert choose(WISHES, {"airflow": 8090}, free_except(8090)) == DEFAULTS


def test_memory_that_gives_one_port_to_two_services_or_takes_a_wish_away():
    assert choose(WISHES, {"airflow": 9000, "mlflow": 9000}, free_except()) == {**DEFAULTS, "airflow": 9000}
    assert choose(WISHES, {"airflow": 5000}, free_except()) == DEFAULTS


def test_a_port_that_the_user_set_wins_over_memory_and_over_defaults():
    wishes = {**WISHES, "page": PortWish(HOST, 8080, user_set=True)}
    assert choose(wishes, {"page": 9000}, free_except()) == {"airflow": 8081, "mlflow": 5000, "page": 8080}


def test_a_taken_port_that_the_user_set_is_named_with_its_owner():
    wishes = {**WISHES, "mlflow": PortWish(HOST, 5000, user_set=True)}
    with pytest.raises(PortTakenError) as caught:
        choose(
            wishes,
            {},
            free_except(5000),
            lambda host, port: f"is in use by nginx (process 7) on {host}:{port}",
        )
    assert str(caught.value) == (
        "Port 5000, which you set for mlflow, is in use by nginx (process 7) on 127.0.0.1:5000."
    )
    assert "mlflow.port in airfoil.toml" in caught.value.next_move


def test_one_port_set_for_two_services_is_refused():
    wishes = {name: PortWish(HOST, 9000, user_set=True) for name in ("airflow", "mlflow")}
    with pytest.raises(ConfigurationError, match="airflow and mlflow are both set to port 9000"):
        choose(wishes, {}, free_except())


def test_a_machine_without_a_free_port_gets_an_answer():
    with pytest.raises(
        PortTakenError, match=r"No port from 8080 upwards can be opened on 127\.0\.0\.1 for airflow"
    ):
        choose(WISHES, {}, lambda _host, _port: False)


def test_the_search_ends_at_the_last_port():
    asked: list[int] = []
    wishes = {"a": PortWish(HOST, 65534, user_set=False)}
    with pytest.raises(PortTakenError):
        choose(wishes, {}, lambda _host, port: bool(asked.append(port)))  # type: ignore[func-returns-value]
    assert asked == [65534, 65535]
    assert SEARCH_WIDTH >= 100


def test_wishes_come_from_settings():
    settings = Settings().model_copy(update={"given": frozenset({"mlflow.port"})})
    assert wishes_of(settings) == {**WISHES, "mlflow": PortWish(HOST, 5000, user_set=True)}


# -- with real sockets


def test_a_busy_default_moves_is_remembered_and_stays_moved(tmp_path, listener):
    project, port = made(tmp_path / "ä b"), port_of(listener)
    wishes = {"page": PortWish(HOST, port, user_set=False)}
    ports = Ports(project, tmp_path / "claims")
    with ports.settle(wishes) as chosen:
        moved = chosen["page"]
    assert port < moved < port + SEARCH_WIDTH
    assert ports.remembered() == {"page": moved}
    assert project.ports_file.stat().st_mode & 0o777 == 0o600
    listener.close()
    with ports.settle(wishes) as chosen:
        assert chosen == {"page": moved}


def test_what_the_user_set_is_not_remembered(tmp_path):
    ports, port = Ports(made(tmp_path / "a"), tmp_path / "claims"), free_port()
    with ports.settle({"page": PortWish(HOST, port, user_set=True)}) as chosen:
        assert chosen == {"page": port}
    assert ports.remembered() == {}


def test_a_busy_port_that_the_user_set_names_this_very_process(tmp_path, listener):
    ports = Ports(made(tmp_path / "a"), tmp_path / "claims")
    wish = PortWish(HOST, port_of(listener), user_set=True)
    with (
        pytest.raises(PortTakenError, match=rf"is in use by .* \(process {os.getpid()}\)"),
        ports.settle({"page": wish}),
    ):
        pytest.fail("a busy port was given out")
    assert not (tmp_path / "claims").exists()


def test_a_port_of_our_own_running_stack_is_kept(tmp_path, listener, monkeypatch):
    monkeypatch.setattr(
        "airfoil.stack.ports.owned_by_stack", lambda port, mark: (port, mark) == (port_of(listener), "us")
    )
    ports = Ports(made(tmp_path / "a"), tmp_path / "claims")
    for user_set in (True, False):
        with ports.settle({"page": PortWish(HOST, port_of(listener), user_set)}, "us") as chosen:
            assert chosen == {"page": port_of(listener)}


def test_two_projects_that_start_together_get_different_ports(tmp_path):
    port = free_port()
    wishes = {"airflow": PortWish(HOST, port, False), "page": PortWish(HOST, port + 1, False)}
    both_chose = threading.Barrier(6)
    found: list[int] = []

    def start(number: int) -> None:
        with Ports(made(tmp_path / str(number)), tmp_path / "claims").settle(wishes) as chosen:
            found.extend(chosen.values())
            both_chose.wait(5)  # nobody listens yet: without claims all would choose the same

    threads = [threading.Thread(target=start, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 12
    assert not (tmp_path / "claims").exists()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"\xff", b"[" * 100_000),
        *(b'{"page": "8081"}', b'{"page": true}', b'{"page": 0}', b'{"page": 70000}'),
    ],
)
def test_a_damaged_memory_is_no_memory(tmp_path, content):
    project = made(tmp_path / "a")
    project.ports_file.write_bytes(content)
    ports, port = Ports(project, tmp_path / "claims"), free_port()
    assert ports.remembered() == {}
    with ports.settle({"page": PortWish(HOST, port, user_set=False)}) as chosen:
        assert chosen == {"page": port}
    assert json.loads(project.ports_file.read_text()) == {"page": port}


def test_stale_memory_of_services_that_are_gone_does_no_harm(tmp_path):
    project, port = made(tmp_path / "a"), free_port()
    project.ports_file.write_text(json.dumps({"flower": 5555, "page": port}))
    ports = Ports(project, tmp_path / "claims")
    with ports.settle({"page": PortWish(HOST, 8081, user_set=False)}) as chosen:
        assert chosen == {"page": port}
    assert ports.remembered() == {"flower": 5555, "page": port}
