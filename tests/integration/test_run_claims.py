"""Twenty who ask at once, and some who are killed while they ask, against real MLflow servers with two workers."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from tests.integration.mlflow_servers import plain_mlflow

from airfoil.clients.claims import EXPERIMENT, Claims, claim_cell
from airfoil.clients.exchange import API, pause
from airfoil.clients.experiments import experiment_id, experiment_ids, find_experiment
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Attempt, RunInfo, Runs
from airfoil.clients.tracking import Tracking
from airfoil.errors import AirfoilError, ConfigurationError

pytestmark = pytest.mark.integration

CLAIMANT = Path(__file__).with_name("run_claimant.py")
MANY = 20
T = TypeVar("T")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    database = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else ""
    with plain_mlflow(folder, database=database, workers=2) as address:
        yield address


@dataclass(frozen=True)
class Asker:
    """One of many: a connection and claims of its own, as each task's process has."""

    http: MlflowHttp
    runs: Runs
    claims: Claims


def all_at_once(uri: str, ask: Callable[[Asker], T], count: int = MANY) -> list[T]:
    """Let many begin in the same moment; everybody's answer, or the first error."""
    together = threading.Barrier(count)

    def one(_: int) -> T:
        claims = Claims()
        with MlflowHttp(MlflowServer(uri, timeout_seconds=60)) as http:
            together.wait()
            return ask(Asker(http, Runs(claims), claims))

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def open_child(asker: Asker, key: RunKey, fingerprint: str = "f", attempt: int = 1) -> RunInfo:
    parent = asker.http.do(asker.runs.parent(key, experiment="races", tags={}))
    return asker.http.do(
        asker.runs.child(key, parent, fingerprint=fingerprint, tags={}, attempt=Attempt(attempt))
    )


@pytest.fixture
def asker(uri: str) -> Iterator[Asker]:
    claims = Claims()
    with MlflowHttp(MlflowServer(uri, timeout_seconds=60)) as http:
        yield Asker(http, Runs(claims), claims)


def running(asker: Asker) -> list[dict[str, Any]]:
    """Everything that is RUNNING, whoever made it, the bin included."""
    everywhere = [*asker.http.do(experiment_ids())]
    body = {
        "experiment_ids": everywhere,
        "filter": "attributes.status = 'RUNNING'",
        "run_view_type": "ALL",
        "max_results": 1000,
    }
    found: list[dict[str, Any]] = asker.http.post(f"{API}/runs/search", body).get("runs", [])
    return found


def ids_running_of(asker: Asker, dag_id: str) -> set[str]:
    runs = [RunInfo.read(one) for one in running(asker)]
    return {
        one.id
        for one in runs
        if one.tags.get("airflow.dag_id") == dag_id or not one.tags.get("airflow.dag_id")
    }


def test_twenty_who_begin_on_an_empty_server_agree_on_everything(uri: str, asker: Asker) -> None:
    """The root, an anchor, an experiment, the parent and the child: all are made by whoever is first."""
    key = RunKey("empty", "run", "train")
    found = all_at_once(uri, lambda one: open_child(one, key))
    assert len({one.id for one in found}) == 1
    assert len({one.parent_id for one in found}) == 1
    assert ids_running_of(asker, "empty") == {found[0].id, found[0].parent_id}
    names = asker.http.post(f"{API}/experiments/search", {"max_results": 1000})["experiments"]
    assert sorted(one["name"] for one in names if one["name"].startswith(EXPERIMENT)) == [EXPERIMENT]
    assert asker.http.do(asker.runs.abandoned_candidates(0)) == []


def test_twenty_claims_of_a_cell_have_one_winner(uri: str, asker: Asker) -> None:
    numbers = iter(range(MANY))
    lock = threading.Lock()

    def claim(one: Asker) -> tuple[str, str]:
        with lock:
            mine = str(next(numbers))
        return mine, one.http.do(one.claims.claim("a new anchor's", "cell", mine))

    answers = all_at_once(uri, claim)
    (held,) = {winner for _, winner in answers}
    assert [mine for mine, winner in answers if mine == winner] == [held]
    assert asker.http.do(asker.claims.cells("a new anchor's")) == {"cell": held}


def test_twenty_places_of_a_mapped_task_have_a_run_each_below_one_parent(uri: str, asker: Asker) -> None:
    places = iter(range(MANY))
    lock = threading.Lock()

    def ask(one: Asker) -> RunInfo:
        with lock:
            place = next(places)
        return open_child(one, RunKey("mapped", "run", "train", place))

    found = all_at_once(uri, ask)
    assert len({one.id for one in found}) == MANY
    (parent,) = {one.parent_id for one in found}
    assert ids_running_of(asker, "mapped") == {one.id for one in found} | {parent}


def test_twenty_retries_with_new_code_supersede_once(uri: str, asker: Asker) -> None:
    key = RunKey("changed", "run", "train")
    old = open_child(asker, key)
    found = all_at_once(uri, lambda one: open_child(one, key, "g", 2))
    (new,) = {one.id for one in found}
    assert new != old.id
    assert asker.http.do(asker.runs.get(old.id)).tags["airfoil.superseded_by"] == new
    assert ids_running_of(asker, "changed") == {new, found[0].parent_id}


@pytest.mark.parametrize("moment", ["create", "log-parameter"])
def test_the_next_goes_on_where_a_claimant_was_killed(uri: str, asker: Asker, moment: str) -> None:
    """Between making its candidate and claiming, and between claiming and saying so."""
    dag_id = f"killed after {moment}"
    argv = [sys.executable, str(CLAIMANT), uri, dag_id]
    killed = subprocess.run([*argv, moment], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    said = subprocess.run([*argv, "never"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    parent, child = said.stdout.split()
    third = subprocess.run([*argv, "never"], capture_output=True, text=True, check=True)
    assert third.stdout.split() == [parent, child]
    left = asker.http.do(asker.runs.abandoned_candidates(0))
    assert len(left) == (1 if moment == "create" else 0)
    for one in left:
        assert asker.http.do(asker.runs.discard(one.id))
    assert ids_running_of(asker, dag_id) == {parent, child}


def test_a_deleted_child_and_a_deleted_history_need_no_person(uri: str, asker: Asker) -> None:
    key = RunKey("deleted", "run", "train")
    old = open_child(asker, key)
    asker.http.post(f"{API}/runs/delete", {"run_id": old.id})
    home = asker.http.do(find_experiment(EXPERIMENT))
    asker.http.post(f"{API}/experiments/delete", {"experiment_id": home["experiment_id"]})
    fresh = replace(asker, runs=Runs(), claims=Claims())
    new = open_child(fresh, key, attempt=2)
    assert new.id != old.id
    assert asker.http.do(asker.runs.find_parent(key)).id == new.parent_id
    other = open_child(fresh, RunKey("after", "run", "train"))
    assert other.id not in {old.id, new.id}


def test_a_name_that_is_taken_is_refused_in_whatever_words(uri: str, asker: Asker) -> None:
    """The root is whoever gave its experiment the known name: that a second is refused carries everything else."""
    first, second = (asker.http.do(experiment_id(f"rename {number}")) for number in (1, 2))
    assert first != second
    body = {"experiment_id": second, "new_name": "rename 1"}
    answer = httpx.post(f"{uri}/{API}/experiments/update", json=body, trust_env=False)
    print(answer.status_code, answer.text[:200])
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
    with pytest.raises(ConfigurationError):
        asker.http.post(f"{API}/experiments/update", body)
    assert asker.http.do(find_experiment("rename 1"))["experiment_id"] == first
    assert asker.http.do(find_experiment("rename 2"))["experiment_id"] == second


def test_a_cell_of_a_run_that_is_not_there_is_an_error(asker: Asker) -> None:
    with pytest.raises(AirfoilError):
        asker.http.do(claim_cell("0" * 32, "cell", "1"))


def test_what_a_first_child_costs(uri: str) -> None:
    """Printed, so that a slow machine can be told from a slow program."""
    opening, closing, dag_ids = [], [], iter(range(100))
    with Tracking(MlflowHttp(MlflowServer(uri))) as tracking:
        for number in dag_ids:
            if number == 12:
                break
            key = RunKey(f"cost {number}", "run", "train")
            tracking.open_dag_run(key, experiment="cost")
            began = time.perf_counter()
            run = tracking.open_task(key, experiment="cost")
            opened = time.perf_counter()
            run.log_params({"trees": 5})
            run.log_metrics({"loss": 0.5})
            run.close()
            opening.append(opened - began)
            closing.append(time.perf_counter() - opened)
            tracking.do(pause(0))
    print(
        f"open {statistics.median(opening) * 1000:.0f} ms, close {statistics.median(closing) * 1000:.0f} ms"
    )
    assert statistics.median(opening) < 5
