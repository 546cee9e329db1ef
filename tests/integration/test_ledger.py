"""Registration and ledger against real MLflow servers: SQLite behind a login, PostgreSQL behind two workers."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tests.integration.external_mlflow import PASSWORD, USERNAME, run_external_mlflow
from tests.integration.ledger_writer import ALIAS, MODEL
from tests.integration.servers import Postgres, free_port, wait_until
from tests.sizes import full_only

from airfoil.clients import exchange, model_registry
from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.registration import register
from airfoil.records import ModelRef

pytestmark = pytest.mark.integration

WRITER = Path(__file__).with_name("ledger_writer.py")
TIMES = 20
WHO_MAY = 5
REQUESTS_OF_A_MOVE = 7
REQUESTS_OF_A_REGISTRATION = 4


@pytest.fixture(
    scope="module", params=[pytest.param("sqlite with a login", marks=full_only), "postgres with two workers"]
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    folder = tmp_path_factory.mktemp("mlflow")
    if request.param.startswith("sqlite"):
        for one in run_external_mlflow(folder):
            yield MlflowServer(one.url, username=USERNAME, password=PASSWORD, timeout_seconds=30)
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with two_workers(folder, postgres.new_database()) as uri:
        yield MlflowServer(uri, timeout_seconds=30)


@contextlib.contextmanager
def two_workers(folder: Path, database: str) -> Iterator[str]:
    port = free_port()
    argv = [sys.executable, "-m", "mlflow", "server", "--workers", "2", "--port", str(port)]
    argv += ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("ab") as output:
        process = subprocess.Popen(
            argv,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: healthy(f"http://127.0.0.1:{port}"), process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def healthy(uri: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{uri}/health", trust_env=False, timeout=2).is_success
    return False


@dataclass
class Shelf:
    """A client, and a run whose artifacts are sources of models; each test has a model name of its own to itself."""

    server: MlflowServer
    http: MlflowHttp
    run_id: str
    artifacts: str

    def source(self) -> ModelRef:
        """A source that nobody has registered."""
        return ModelRef(name="m", uri=f"{self.artifacts}/m{next(NUMBERS)}", run_id=self.run_id)

    def write(self, moment: object, signal_name: str, *what: object) -> subprocess.Popen[str]:
        """Start a process that sends itself a signal before a request."""
        login = (self.server.username or "", self.server.password or "")
        argv = [
            sys.executable,
            str(WRITER),
            self.server.uri,
            *login,
            signal_name,
            str(moment),
            *map(str, what),
        ]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


NUMBERS = itertools.count()


@pytest.fixture
def shelf(server):
    with MlflowHttp(server) as http:
        api = "api/2.0/mlflow"
        experiment = http.post(f"{api}/experiments/create", {"name": f"shelf {next(NUMBERS)}"})[
            "experiment_id"
        ]
        info = http.post(f"{api}/runs/create", {"experiment_id": experiment})["run"]["info"]
        if http.do(model_registry.model(MODEL)):
            http.do(exchange.delete(f"{api}/registered-models/delete", {"name": MODEL}))
        found = Shelf(server, http, info["run_id"], info["artifact_uri"])
        for _ in range(TIMES):
            http.do(register(Claims(), MODEL, found.source()))
        yield found


@pytest.fixture
def ledger(shelf):
    """The ledger of the model, whatever tests before have written into it."""
    ours = Ledger(Claims())
    shelf.http.do(ours.reconcile(MODEL, ALIAS))
    return ours


def linear(entries):
    for number, entry in enumerate(entries, 1):
        assert entry.number == number
        assert number == 1 or entry.from_version == entries[number - 2].to_version
        assert number == 1 or entry.at >= entries[number - 2].at
    return True


def standing(shelf):
    return shelf.http.do(model_registry.model(MODEL)).aliases.get(ALIAS)


def test_twenty_registrations_of_one_source_make_one_version(shelf):
    before = len(shelf.http.do(model_registry.versions(MODEL)))
    source = shelf.source()

    def ask(_):
        with MlflowHttp(shelf.server) as http:
            return http.do(register(Claims(), MODEL, source))

    with ThreadPoolExecutor(TIMES) as pool:
        made = list(pool.map(ask, range(TIMES)))
    assert len({one.version for one in made}) == 1
    assert len(shelf.http.do(model_registry.versions(MODEL))) == before + 1


def test_twenty_promotions_make_a_linear_ledger_and_none_is_lost(shelf, ledger):
    before = len(shelf.http.do(ledger.entries(MODEL, ALIAS)))

    def promote(version):
        with MlflowHttp(shelf.server) as http:
            return http.do(Ledger(Claims()).move(MODEL, ALIAS, version, who=f"number {version}"))

    with ThreadPoolExecutor(TIMES) as pool:
        made = list(pool.map(promote, range(1, TIMES + 1)))
    entries = shelf.http.do(ledger.entries(MODEL, ALIAS))
    assert linear(entries)
    assert sorted(entry.to_version for entry in entries[before:]) == list(range(1, TIMES + 1))
    assert set(made) == set(entries[before:])
    assert standing(shelf) == entries[-1].to_version
    assert (MODEL, ALIAS) not in shelf.http.do(ledger.unsettled())


def test_who_was_stopped_before_the_set_does_not_undo_what_came_later(shelf, ledger):
    paused = shelf.write("alias", "SIGSTOP", "move", 1)
    os.waitid(os.P_PID, paused.pid, os.WSTOPPED)
    for version in (2, 3, 4):
        shelf.http.do(ledger.move(MODEL, ALIAS, version, who="others"))
    paused.send_signal(signal.SIGCONT)
    assert paused.communicate()[0] == "1\n"
    entries = shelf.http.do(ledger.entries(MODEL, ALIAS))
    assert linear(entries)
    assert [entry.to_version for entry in entries[-4:]] == [1, 2, 3, 4]
    assert standing(shelf) == 4
    assert (MODEL, ALIAS) not in shelf.http.do(ledger.unsettled())


def test_who_is_killed_before_any_request_leaves_what_others_finish(shelf, ledger):
    shelf.http.do(ledger.move(MODEL, ALIAS, 1, who="first"))
    for moment in range(30):
        version = 2 + moment % 2
        process = shelf.write(moment, "SIGKILL", "move", version)
        said = process.communicate()[0]
        head = shelf.http.do(ledger.reconcile(MODEL, ALIAS))
        assert standing(shelf) == head.to_version, moment
        assert linear(shelf.http.do(ledger.entries(MODEL, ALIAS)))
        assert head.kind == "promote", moment
        assert (MODEL, ALIAS) not in shelf.http.do(ledger.unsettled()), moment
        if said:
            assert process.returncode == 0
            break
        assert process.returncode == -signal.SIGKILL
    assert moment >= REQUESTS_OF_A_MOVE


def test_a_killed_registration_is_taken_over_and_nothing_is_left_over(shelf):
    for moment in range(30):
        source = shelf.source()
        before = {one.version for one in shelf.http.do(model_registry.versions(MODEL))}
        process = shelf.write(moment, "SIGKILL", "register", source.uri, source.run_id)
        said = process.communicate()[0]
        made = shelf.http.do(register(Claims(), MODEL, source))
        after = {one.version for one in shelf.http.do(model_registry.versions(MODEL))}
        assert after - before == {made.version}, moment
        if said:
            break
    assert moment >= REQUESTS_OF_A_REGISTRATION


def test_history_is_right_at_any_moment_of_a_hundred_moves(shelf):
    """Versions, removals and moves from outside, at moments of a clock that also goes back."""
    choose = random.Random(7)  # noqa: S311 - a script, the same each time
    now = datetime(2026, 11, 1, tzinfo=UTC)
    clock = [now.timestamp()]
    ledger = Ledger(Claims(), clock=lambda: clock[0])
    alias = "scripted"
    script: list[tuple[datetime, int | None]] = []
    while len(script) < 100:
        now += timedelta(minutes=choose.randint(1, 500))
        clock[0] = now.timestamp()
        to = choose.choice([*range(1, WHO_MAY + 1), None])
        if to == (script[-1][1] if script else None):
            continue
        if choose.random() < 0.2:
            shelf.http.do(model_registry.point_alias(MODEL, alias, to))
            shelf.http.do(ledger.reconcile(MODEL, alias))
        else:
            shelf.http.do(ledger.move(MODEL, alias, to, who="script"))
        script.append((now, to))
    for moment, to in script:
        assert shelf.http.do(ledger.at(MODEL, alias, moment)).to_version == to
    history = shelf.http.do(ledger.histories(MODEL))[MODEL, alias]
    assert linear(history.entries)
    assert history.at(script[0][0] - timedelta(seconds=1)) is None
    for (_, before), (moment, _) in itertools.pairwise(script):
        assert history.at(moment - timedelta(seconds=1)).to_version == before


def test_details_of_any_length_come_back(shelf, ledger):
    gate = {"passed": True, "gains": [n / 7 for n in range(5000)], "wörter": "ü" * 9000}
    moved = shelf.http.do(ledger.move(MODEL, "long", 2, who="x" * 900, gate=gate))
    (short,) = shelf.http.do(ledger.entries(MODEL, "long"))[-1:]
    assert len(short.who) < 900
    whole = shelf.http.do(ledger.whole(short))
    assert whole.gate == gate
    assert whole.who == moved.who


def test_all_ledgers_of_the_server_are_found(shelf, ledger):
    shelf.http.do(ledger.move(MODEL, ALIAS, 2, who="one"))
    shelf.http.do(ledger.move(MODEL, "challenger", 3, who="one"))
    found = shelf.http.do(Ledger(Claims()).histories())
    assert found[MODEL, ALIAS].version == 2
    assert found[MODEL, "challenger"].version == 3
