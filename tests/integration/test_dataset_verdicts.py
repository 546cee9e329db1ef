"""Verdicts about datasets on a real MLflow and on the fake that ships: the same behaviour."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.integration.mlflow_servers import plain_mlflow

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import dataset_verdicts, keep_dataset_verdict, latest_dataset_verdicts
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.clients.verdict_shelf import KEPT
from airfoil.records import DatasetVerdict

pytestmark = pytest.mark.integration
START = datetime(2026, 11, 21, tzinfo=UTC)
AWKWARD = 'it\'s "100 %"\n<größe> `日本`'


@pytest.fixture(scope="module", params=["real", "fake"])
def http(request, tmp_path_factory):
    if request.param == "fake":
        transport = httpx.MockTransport(FakeMlflow())
        with MlflowHttp(MlflowServer("http://mlflow.test"), transport=transport) as client:
            yield client
        return
    with (
        plain_mlflow(tmp_path_factory.mktemp("mlflow")) as url,
        MlflowHttp(MlflowServer(url, timeout_seconds=30)) as client,
    ):
        yield client


def verdict(dataset, number, **more):
    return DatasetVerdict(
        dataset=dataset,
        at=START + timedelta(minutes=number),
        passed=bool(number % 2),
        reason=f"number {number}: größe",
        outcomes={"quality": "failed"},
        numbers={"rows": number},
        run_id=f"r{number}",
        **more,
    )


def test_the_latest_are_kept_newest_first(http):
    for number in range(KEPT + 3):
        http.do(keep_dataset_verdict(Claims(), verdict("trips", number)))
    found = http.do(dataset_verdicts(Claims(), "trips"))
    assert found == [verdict("trips", number) for number in range(KEPT + 2, 2, -1)]


def test_any_name_and_a_long_reason_come_back(http):
    long = verdict(AWKWARD, 1).model_copy(update={"reason": "ü" * 9000})
    http.do(keep_dataset_verdict(Claims(), long))
    (kept,) = http.do(dataset_verdicts(Claims(), AWKWARD))
    assert (kept.dataset, kept.reason[:9], kept.numbers) == (AWKWARD, "ü" * 9, long.numbers)


def test_many_at_once_lose_nothing(http):
    def keep(number):
        http.do(keep_dataset_verdict(Claims(), verdict("busy", number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(8)))
    assert [one.numbers["rows"] for one in http.do(dataset_verdicts(Claims(), "busy"))] == [*range(7, -1, -1)]


def test_of_all_datasets_the_newest_is_told(http):
    for dataset, number in (("a", 1), ("a", 2), (AWKWARD + "2", 3)):
        http.do(keep_dataset_verdict(Claims(), verdict(dataset, number)))
    newest = {one.dataset: one.numbers["rows"] for one in http.do(latest_dataset_verdicts(Claims()))}
    assert (newest["a"], newest[AWKWARD + "2"]) == (2, 3)
