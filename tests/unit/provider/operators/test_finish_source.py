"""The end of a run marks what it was about, and nothing else."""

from __future__ import annotations

import json
import os

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.source_marks import SourceMark, read_mark
from airfoil.provider.operators.finish_source import FinishSourceOperator

pytestmark = pytest.mark.unit


def finish(crawled):
    return FinishSourceOperator(task_id="end", crawled=crawled)


def test_the_mark_lies_beside_the_versions(run, tmp_path):
    raw = {"uri": (tmp_path / "a b" / "v1.csv").as_uri(), "content_hash": "sha256:1"}
    told = SourceMark.from_json(run(finish({"raw": raw, "settings_digest": "d"})))
    assert read_mark(tmp_path / "a b") == told
    assert (told.content_hash, told.settings_digest, told.dag_run) == (
        "sha256:1",
        "d",
        "wine_weekly/manual__1",
    )


@pytest.mark.parametrize("crawled", [None, {}, "iris", {"raw": None}])
def test_what_crawl_did_not_return_is_refused(run, crawled):
    with pytest.raises(AirflowFailException, match="crawl"):
        run(finish(crawled))


def test_only_so_many_versions_stay(run, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path))
    names = [f"202601{day:02}T000000Z-{day:012x}.csv" for day in range(1, 13)]
    folder = tmp_path / "data" / "raw" / "iris"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    raw = {"uri": (folder / names[-1]).as_uri(), "content_hash": "sha256:1"}
    for keep, left in (({}, 10), ({"keep": "3"}, 3), ({"keep": 1}, 1)):
        run(FinishSourceOperator(task_id="end", crawled={"raw": raw}, **keep))
        assert sorted(path.name for path in folder.glob("*.csv")) == names[-left:]
    assert read_mark(folder)


@pytest.mark.parametrize("keep", [0, -1, "all", "", 2.5, None])
def test_a_number_of_versions_that_means_nothing_is_refused_before_the_mark(run, tmp_path, keep):
    raw = {"uri": (tmp_path / "v1.csv").as_uri(), "content_hash": "sha256:1"}
    with pytest.raises(AirflowFailException, match="and at least one version is kept"):
        run(FinishSourceOperator(task_id="end", crawled={"raw": raw}, keep=keep))
    assert read_mark(tmp_path) is None


def test_it_survives_a_serialize_round_trip():
    with DAG("shop", schedule=None) as dag:
        finish({"raw": {}})
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("end")
    assert back.crawled == {"raw": {}}
