"""Moved aliases become asset events, one each and soon, with webhooks and without, whoever is killed in between."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.sizes import full_only
from tests.system.platforms import Platform, fetch, lent, wait_until

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.errors import NeighbourError
from airfoil.provider.move_cursor import CURSOR_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airfoil.records import LedgerEntry

pytestmark = pytest.mark.system

MOVES = 50
MOST_SECONDS_95 = 10.0
PATIENCE_SECONDS = 120.0
ORPHAN_SECONDS = 300.0
"""After two minutes of silence Airflow takes a task for dead that lost its API server; then it is tried again."""
DAG_FILE = """
from datetime import timedelta

from airflow.sdk import DAG, task

from airfoil.provider.assets import Model

champion = Model("wine").at("champion")

again = {"retries": 5, "retry_delay": timedelta(seconds=1)}  # its tasks meet the API server that is killed

# Moves come faster than runs end: the events that come meanwhile are folded into the run that follows.
with DAG("on_move", schedule=[champion], max_active_runs=1, default_args=again):

    @task
    def say(triggering_asset_events):
        for event in triggering_asset_events[champion]:
            print("SAW", event.extra["payload"]["number"])

    say()
"""
ASKING_DAG = """
from airflow.sdk import DAG

from airfoil import ModelRef, approve, promote

version = ModelRef(name="wine", uri="models:/wine/2", run_id="r", version=2)

with DAG("ask_first", schedule=None):
    promote(version, alias="approved", approval=approve(version))
"""


class Shop:
    """A platform whose MLflow has a model, and what Airflow has recorded of it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.mlflow = MlflowHttp(MlflowServer(platform.url("mlflow")))
        self.ledger = Ledger(Claims())
        self.mlflow.post(f"{API}/registered-models/create", {"name": "wine"})
        for _ in range(3):
            self.mlflow.post(f"{API}/model-versions/create", {"name": "wine", "source": "s3://bucket/model"})

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        path = self.platform.project.airflow_database
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(statement).fetchall()

    def place(self) -> int | None:
        """The number of the last move that Airflow knows of."""
        found = self.rows(f"select value from asset_state_store where key = '{CURSOR_KEY}'")  # noqa: S608 - ours
        return int(str(found[0][0])) if found else None

    def told(self, after: int) -> list[tuple[int, datetime]]:
        """Number and moment of every recorded event after a place, in the order of recording."""
        rows = self.rows("select timestamp, extra from asset_event order by id")
        pairs = [
            (json.loads(str(extra))["payload"]["number"], datetime.fromisoformat(str(at)).replace(tzinfo=UTC))
            for at, extra in rows
        ]
        return [pair for pair in pairs if pair[0] > after]

    def move(self, number: int, key: str) -> LedgerEntry:
        """Move the alias once, however often MLflow has to be asked."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.mlflow.do(
                    self.ledger.move("wine", "champion", number % 2 + 1, who="test", kind="promote", key=key)
                )
            except NeighbourError:
                assert time.monotonic() < deadline
                time.sleep(0.5)

    def kill(self, service: str) -> None:
        os.kill(self.platform.pids()[service], signal.SIGKILL)

    def move_often(self, name: str, faults: dict[int, Callable[[], None]]) -> list[float]:
        """Move many times with faults in between; the seconds until each event, after proving that each came once."""
        chance = random.Random(name)  # noqa: S311 - a test's pace
        before, entries = self.place(), []
        assert before is not None
        for index in range(MOVES):
            faults.get(index, lambda: None)()
            entries.append(self.move(before + index, f"{name}-{index}"))
            time.sleep(chance.random() * 0.8)
        last = entries[-1].number
        wait_until(lambda: self.place() == last, PATIENCE_SECONDS, f"move {last} is told")
        told = self.told(before)
        assert (
            [number for number, _ in told]
            == [entry.number for entry in entries]
            == [*range(before + 1, last + 1)]
        )
        moments = dict(told)
        seconds = sorted((moments[entry.number] - entry.at).total_seconds() for entry in entries)
        print(f"{name}: median {seconds[len(seconds) // 2]:.2f} s, 95 % {percentile_95(seconds):.2f} s")
        return seconds


def percentile_95(seconds: list[float]) -> float:
    return seconds[int(len(seconds) * 0.95) - 1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    platform = Platform.make(tmp_path_factory.mktemp("events"))
    (platform.project.dags / "on_move.py").write_text(DAG_FILE, encoding="utf-8")
    (platform.project.dags / "ask_first.py").write_text(ASKING_DAG, encoding="utf-8")
    for found in lent(platform):
        found.up()
        shop = Shop(found)
        yield watched(shop)
        shop.mlflow.close()


def watched(shop: Shop) -> Shop:
    """The same, once the triggerer looks."""
    wait_until(lambda: shop.place() == 0, PATIENCE_SECONDS, "the alias is watched")
    return shop


def webhooks(shop: Shop) -> list[dict[str, str]]:
    return shop.mlflow.get(f"{API}/webhooks").get("webhooks", [])


def test_up_makes_mlflow_tell_airflow(shop):
    url = f"{shop.platform.url('api-server')}/airfoil/events"
    wait_until(lambda: [row["url"] for row in webhooks(shop)] == [url], PATIENCE_SECONDS, "a webhook")


def test_with_webhooks_each_move_is_told_once_and_soon_while_mlflow_and_the_receiver_are_killed(shop):
    faults = {20: lambda: shop.kill("mlflow"), 35: lambda: shop.kill("api-server")}
    assert percentile_95(shop.move_often("webhooks", faults)) <= MOST_SECONDS_95


def test_a_dag_that_is_scheduled_on_the_alias_runs_and_sees_every_move(shop):
    def unseen() -> int:
        (count,) = shop.rows(
            "select count(*) from asset_event where id not in (select event_id from dagrun_asset_event)"
        )[0]
        return int(str(count))

    wait_until(lambda: unseen() == 0, ORPHAN_SECONDS, "every event belongs to a run")
    wait_until(
        lambda: (
            {state for (state,) in shop.rows("select state from dag_run where dag_id = 'on_move'")}
            == {"success"}
        ),
        ORPHAN_SECONDS,
        "every run succeeds",
    )


@full_only
def test_a_killed_triggerer_loses_nothing_and_tells_nothing_twice(shop):
    shop.move_often("triggerer", {10: lambda: shop.kill("triggerer")})


def test_without_webhooks_the_trigger_is_as_exact_and_nearly_as_soon(shop):
    for row in webhooks(shop):
        shop.mlflow.do(_delete_webhook(row["webhook_id"]))
    faults = {15: lambda: shop.kill("mlflow"), 30: lambda: shop.kill("api-server")}
    assert percentile_95(shop.move_often("polling", faults)) <= MOST_SECONDS_95
    assert webhooks(shop) == []


def test_a_move_made_outside_airfoil_is_told_with_its_final_state(shop):
    before = shop.place()
    for version in ("1", "3"):
        body = {"name": "wine", "alias": "champion", "version": version}
        shop.mlflow.post(f"{API}/registered-models/alias", body)
    wait_until(lambda: shop.told(before), PATIENCE_SECONDS, "the outside move is told")
    last = shop.mlflow.do(shop.ledger.entries("wine", "champion"))[-1]
    assert (last.kind, last.to_version) == ("external", 3)
    wait_until(lambda: shop.place() == last.number, PATIENCE_SECONDS, "the final state is told")


def test_the_page_asks_who_is_there_and_who_is_logged_in_may_read(shop):
    address = shop.platform.url("api-server")
    wait_until(lambda: answers(address), PATIENCE_SECONDS, "the API server is back after an earlier test")
    for path in (
        "/airfoil/models",
        "/airfoil/models/wine",
        "/airfoil/api/models",
        "/airfoil/api/models/wine",
    ):
        assert fetch(f"{address}{path}").status == 401
    assert fetch(f"{address}/airfoil/events", method="POST").status == 400
    headers = login(shop)
    page = fetch(f"{address}/airfoil/models/wine", headers=headers)
    assert (page.status, "champion" in page.body) == (200, True)
    (model,) = fetch(f"{address}/airfoil/api/models", headers=headers).json()["models"]
    assert model["aliases"][0]["version"] == 3
    views = fetch(f"{address}/api/v2/plugins", headers=headers).json()["plugins"]
    (ours,) = [one for one in views if one["name"] == "airfoil"]
    assert [view["name"] for view in ours["external_views"]] == ["Models"]


@pytest.mark.parametrize(
    ("answer", "state", "versions"), [("Reject", "skipped", []), ("Approve", "success", [2])]
)
def test_a_person_s_answer_decides_and_the_ledger_names_the_person(answer, state, versions, shop):
    address, run = shop.platform.url("api-server"), f"{answer}-run"
    wait_until(lambda: answers(address), PATIENCE_SECONDS, "the API server is back after an earlier test")
    headers, runs = login(shop), f"{address}/api/v2/dags/ask_first/dagRuns"
    wait_until(
        lambda: fetch(f"{address}/api/v2/dags/ask_first", headers=headers).status == 200,
        PATIENCE_SECONDS,
        "the DAG is parsed",
    )
    fetch(f"{address}/api/v2/dags/ask_first", method="PATCH", headers=headers, body={"is_paused": False})
    body = {"dag_run_id": run, "logical_date": None}
    assert fetch(runs, method="POST", headers=headers, body=body).status == 200
    question = f"{runs}/{run}/taskInstances/approve/-1/hitlDetails"

    def asked() -> bool:
        # An answer between the question and the task's pause wakes nobody (Airflow 3.3.2); no person is so quick.
        found = fetch(question, headers=headers)
        if found.status != 200:
            return False
        said = found.json()
        assert said["subject"] == "Promote wine version 2?"
        return said["task_instance"]["state"] == "awaiting_input"

    wait_until(asked, PATIENCE_SECONDS, "the question is asked")
    body = {"chosen_options": [answer]}
    assert fetch(question, method="PATCH", headers=headers, body=body).status == 200
    promotion = f"{runs}/{run}/taskInstances/promote"
    wait_until(
        lambda: fetch(promotion, headers=headers).json()["state"] == state, PATIENCE_SECONDS, "it is acted on"
    )
    entries = shop.mlflow.do(shop.ledger.entries("wine", "approved"))
    assert [entry.to_version for entry in entries] == versions
    assert {entry.approver for entry in entries} <= {"admin"}


def answers(address: str) -> bool:
    """Whether the API server is there."""
    with suppress(OSError):
        return fetch(f"{address}/api/v2/version").status == 200
    return False


def login(shop: Shop) -> dict[str, str]:
    """The headers of a person who has logged in."""
    address = shop.platform.url("api-server")
    body = {"username": "admin", "password": shop.platform.secrets().admin_password}
    token = fetch(f"{address}/auth/token", method="POST", body=body).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def _delete_webhook(webhook_id: str):
    from airfoil.clients.exchange import delete

    return delete(f"{API}/webhooks/{webhook_id}", {})
