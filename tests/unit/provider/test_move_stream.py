"""One poll tells all watchers what moved, and waits when MLflow is away."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.errors import ConfigurationError
from airfoil.provider.move_stream import LONGEST_PAUSE_SECONDS, Audience, MoveStream, pause_after

pytestmark = pytest.mark.unit

ADDRESS = MlflowServer("http://mlflow.test", tries=1)
WINE = ("wine", "champion")


class Quick(Audience):
    """An audience that never rests, and does what a test wants between two looks."""

    def __init__(self, *between):
        super().__init__()
        self.between = list(between)
        self.rests = []

    async def rest(self, seconds):
        self.rests.append(seconds)
        if self.between:
            self.between.pop(0)()
        await asyncio.sleep(0)
        return self.stir.is_set()


@pytest.fixture
def server():
    return FakeMlflow()


@pytest.fixture
def http(server):
    with MlflowHttp(ADDRESS, transport=httpx.MockTransport(server)) as client:
        client.post("api/2.0/mlflow/registered-models/create", {"name": "wine"})
        for _ in range(3):
            client.post("api/2.0/mlflow/model-versions/create", {"name": "wine", "source": "s3://b/m"})
        yield client


def mover(http, *, model="wine", alias="champion"):
    ledger = Ledger(Claims())
    return lambda version: http.do(ledger.move(model, alias, version, who="me"))


def outside(http, version):
    body = {"name": "wine", "alias": "champion", "version": str(version)}
    http.post("api/2.0/mlflow/registered-models/alias", body)


def watch(server, audience, count, *pairs):
    """The lengths of the ledgers in the first `count` pieces of news."""

    async def connect():
        return MlflowAsyncHttp(ADDRESS, transport=httpx.MockTransport(server))

    async def work():
        stream, found = MoveStream(connect, audience, poll_seconds=3), []
        for pair in pairs:
            audience.following[pair] += 1
            audience.unread.add(pair)
        async for news in stream.news():
            found.append((news.model, news.alias, len(news.entries)))
            if len(found) == count:
                await stream.close()
                return found
        return None

    return asyncio.run(asyncio.wait_for(work(), 20))


def test_it_tells_the_present_state_first_and_then_every_growth(server, http):
    move = mover(http)
    move(1)
    audience = Quick(lambda: None, lambda: move(2), lambda: None, lambda: (move(3), move(1)))
    assert [length for *_, length in watch(server, audience, 3, WINE)] == [1, 2, 4]


def test_it_looks_at_what_is_followed_and_nothing_else(server, http):
    mover(http)(1)
    mover(http, alias="challenger")(2)
    audience = Quick()
    assert watch(server, audience, 1, WINE) == [("wine", "champion", 1)]


def test_a_move_made_outside_is_entered_and_told(server, http):
    mover(http)(1)
    audience = Quick(lambda: outside(http, 3))
    assert [length for *_, length in watch(server, audience, 2, WINE)] == [1, 2]
    last = http.do(Ledger(Claims()).entries(*WINE))[-1]
    assert (last.kind, last.from_version, last.to_version) == ("external", 1, 3)


def test_a_model_that_is_yet_to_come_is_waited_for(server, http):
    def begin():
        http.post("api/2.0/mlflow/registered-models/create", {"name": "beer"})
        http.post("api/2.0/mlflow/model-versions/create", {"name": "beer", "source": "s3://b/m"})
        mover(http, model="beer")(1)

    audience = Quick(lambda: None, begin)
    assert [length for *_, length in watch(server, audience, 2, ("beer", "champion"))] == [0, 1]


def test_an_mlflow_that_is_away_makes_it_wait_longer_and_longer_and_loses_nothing(server, http):
    move = mover(http)
    move(1)

    def go():
        server.faults.away = True

    def come():
        server.faults.away = False
        move(2)

    audience = Quick(go, *[lambda: None] * 4, come)
    assert [length for *_, length in watch(server, audience, 2, WINE)] == [1, 2]
    assert audience.rests == [3, 6, 12, 15, 15, 15]


def test_a_login_that_may_only_read_still_hears_of_moves(server, http):
    move = mover(http)
    move(1)
    refusal = httpx.Response(403, json={"error_code": "PERMISSION_DENIED", "message": "no"})

    def second():
        move(2)
        server.fail["mlflow/runs/log-parameter"] = refusal

    assert [length for *_, length in watch(server, Quick(second), 2, WINE)] == [1, 2]


def test_one_ledger_that_cannot_be_read_does_not_silence_the_others(server, http):
    mover(http)(1)
    mover(http, alias="challenger")(2)
    (damaged,) = [run for run in server.runs.values() if run["info"]["run_name"] == "ledger/wine/champion"]
    damaged["params"]["000001"] = "not an entry"
    found = watch(server, Quick(), 1, WINE, ("wine", "challenger"))
    assert found == [("wine", "challenger", 1)]


def test_idle_looks_are_cheap(server, http):
    for alias in ("champion", "challenger", "staging"):
        mover(http, alias=alias)(1)
    pairs = [("wine", alias) for alias in ("champion", "challenger", "staging")]
    costs = []

    def count():
        costs.append(len(server.calls))
        server.calls.clear()

    move = mover(http)
    audience = Quick(count, count, count, count, count, count, count, lambda: move(2))
    watch(server, audience, 4, *pairs)
    # One search for three ledgers, and every third time the aliases of their one model.
    assert costs[2:] == [1, 2, 1, 1, 2]


def test_a_rest_ends_when_something_stirs():
    async def work():
        audience = Audience()
        assert await audience.rest(0.001) is False
        asyncio.get_running_loop().call_soon(audience.stir.set)
        return await audience.rest(60)

    assert asyncio.run(work()) is True


def test_who_leaves_is_not_looked_for_any_more():
    async def work():
        audience = Audience()
        with audience.follow(WINE), audience.follow(WINE):
            assert audience.following == {WINE: 2}
        return audience

    audience = asyncio.run(work())
    assert (dict(audience.following), audience.unread) == ({}, set())


def test_pauses_grow_to_a_limit_and_are_never_shorter_than_a_poll():
    assert [pause_after(failures, 3) for failures in (0, 1, 2, 3, 99)] == [
        3,
        6,
        12,
        LONGEST_PAUSE_SECONDS,
        15,
    ]
    assert pause_after(99, 60) == 60


def test_a_connection_that_cannot_be_made_is_tried_again(server, http):
    mover(http)(1)
    left = [ConfigurationError("Airflow has no connection 'x'")] * 2

    async def connect():
        if left:
            raise left.pop()
        return MlflowAsyncHttp(ADDRESS, transport=httpx.MockTransport(server))

    async def work():
        audience = Quick()
        audience.following[WINE] += 1
        async for news in MoveStream(connect, audience, poll_seconds=1).news():
            return len(news.entries)
        return None

    assert asyncio.run(asyncio.wait_for(work(), 20)) == 1
