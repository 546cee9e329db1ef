"""A worker on another host: it shows its token, trusts the server's authority, and says what is wrong with a token."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from types import SimpleNamespace

import pytest

from airfoil.runtime.container import edge_worker, worker

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def token(**claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def test_a_token_says_how_long_it_counts():
    assert edge_worker.days_left(token(exp=NOW + 2 * 86400), NOW) == 2
    assert edge_worker.days_left(token(exp=NOW - 86400, sub="a"), NOW) == -1


@pytest.mark.parametrize(
    ("given", "said"),
    [("", "is no token"), ("a.b", "is no token"), (token(sub="a"), "is no token"), (token(exp=1), "run out")],
)
def test_a_token_that_does_not_count_ends_with_a_sentence(monkeypatch, capsys, given, said):
    monkeypatch.setenv(edge_worker.SHOWN_VARIABLE, given)
    with pytest.raises(SystemExit) as end:
        edge_worker.main()
    assert end.value.code == edge_worker.EXIT_CONFIGURATION
    assert said in capsys.readouterr().err


def test_the_server_s_authority_is_trusted_beside_the_public_ones(tmp_path):
    public, place = tmp_path / "public.pem", tmp_path / "all.pem"
    public.write_text("PUBLIC", encoding="utf-8")
    environment = {edge_worker.AUTHORITY_VARIABLE: "OWN"}
    edge_worker.trust(environment, public, place)
    assert place.read_text(encoding="utf-8").split() == ["PUBLIC", "OWN"]
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AIRFLOW__API__SSL_CERT")
    assert {environment[name] for name in names} == {str(place)}


def test_without_one_nothing_is_changed(tmp_path):
    environment = {edge_worker.AUTHORITY_VARIABLE: ""}
    edge_worker.trust(environment, tmp_path / "none", tmp_path / "all.pem")
    assert list(environment) == [edge_worker.AUTHORITY_VARIABLE]


def test_airflow_s_edge_worker_shows_our_token_for_every_request(monkeypatch):
    from airflow.providers.edge3.cli import api_client

    monkeypatch.setattr(api_client, "jwt_generator", api_client.jwt_generator)
    edge_worker.show_token("ours")
    assert api_client.jwt_generator().generate({"method": "worker/far-1"}) == "ours"


def test_an_edge_worker_that_asks_otherwise_is_told(monkeypatch, capsys):
    from airflow.providers.edge3.cli import api_client

    monkeypatch.delattr(api_client, "jwt_generator")
    with pytest.raises(SystemExit):
        edge_worker.show_token("ours")
    assert "in another way" in capsys.readouterr().err


def test_a_heartbeat_touches_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "HEARTBEAT", tmp_path / "beat")
    assert asyncio.run(edge_worker.beat()) == {}
    assert worker.HEARTBEAT.exists()


def test_it_becomes_airflow_s_edge_worker(monkeypatch, tmp_path, capsys):
    said = []
    monkeypatch.setenv(edge_worker.SHOWN_VARIABLE, token(exp=4_000_000_000))
    monkeypatch.setenv("AIRFLOW__EDGE__EXTENDED_SYSTEM_INFO_FUNCTION", "")
    monkeypatch.setattr(worker, "preload", said.append)
    monkeypatch.setattr(worker, "HEARTBEAT", tmp_path / "beat")
    monkeypatch.setattr(edge_worker, "show_token", said.append)
    monkeypatch.setattr(sys, "argv", ["edge_worker", "--queues", "edge"])
    monkeypatch.setitem(
        sys.modules, "airflow.__main__", SimpleNamespace(main=lambda: said.append(list(sys.argv)))
    )
    edge_worker.main()
    assert said == ["", token(exp=4_000_000_000), ["airflow", "edge", "worker", "--queues", "edge"]]
    assert edge_worker.SHOWN_VARIABLE not in edge_worker.os.environ
    assert capsys.readouterr().err == ""
