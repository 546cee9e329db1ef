"""Crawling as a task: checked settings, versions of a source, and when the rest is skipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.crawled_bodies import CrawlLimits
from airfoil.errors import ServiceAnswerError
from airfoil.provider.operators.crawl import CrawlOperator
from airfoil.provider.operators.finish_source import FinishSourceOperator

pytestmark = pytest.mark.unit
SETTINGS = {"ml_model_type": "knn", "accuracy_threshold": "0.8", "notification_email": "", "parameters": "{}"}


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    return tmp_path / "work"


@pytest.fixture
def site(http_server, answer):
    """A source with one table."""
    http_server.on("GET", "/iris.csv", answer("a,b\n1,2\n"))
    return http_server


@pytest.fixture
def follower():
    return EmptyOperator(task_id="etl")


@pytest.fixture
def execute(context, follower):
    """Execute an operator with one task after it."""

    def execute(operator):
        context["ti"].task_id = operator.task_id
        context["ti"].pushed.clear()
        operator.get_flat_relatives = lambda upstream: [follower]
        context["ti"].task = context["task"] = operator
        return operator.execute(context)

    return execute


def crawl(site, **given):
    given = {"url": f"{site.url}/iris.csv", "source": "iris", "settings": SETTINGS, **given}
    return CrawlOperator(task_id="crawl", limits=CrawlLimits(tries=1), **given)


def test_a_version_is_kept_and_told_with_the_settings_as_they_were_read(site, execute, work):
    found = execute(crawl(site))
    path = Path(found["raw"]["uri"].removeprefix("file://"))
    assert path.parent == work / "data" / "raw" / "iris"
    assert path.read_text() == "a,b\n1,2\n"
    assert (found["source"], found["version"], found["is_new"]) == ("iris", path.name.partition(".")[0], True)
    assert found["settings"]["accuracy_threshold"] == 0.8
    assert found["settings"]["ml_model_type"] == "knn"
    json.dumps(found)


def finished(execute, found):
    execute(FinishSourceOperator(task_id="end", crawled=found))


def test_an_unchanged_source_that_was_worked_off_skips_the_rest(site, execute, context):
    finished(execute, execute(crawl(site)))
    with pytest.raises(DownstreamTasksSkipped) as raised:
        execute(crawl(site))
    assert raised.value.tasks == ["etl"]
    assert context["ti"].pushed["return_value"]["is_new"] is False


def test_a_run_that_died_is_no_reason_to_skip(site, execute):
    execute(crawl(site))
    assert execute(crawl(site))["is_new"] is False


@pytest.mark.parametrize("force", [True, "True", "yes"])
def test_force_and_other_settings_are_worth_another_run(site, execute, force):
    finished(execute, execute(crawl(site)))
    assert execute(crawl(site, force=force))["is_new"] is False
    for change in (
        {"ml_model_type": "svm"},
        {"accuracy_threshold": 0.7},
        {"parameters": '{"neighbours": 3}'},
    ):
        assert execute(crawl(site, settings={**SETTINGS, **change}))["is_new"] is False
    with pytest.raises(DownstreamTasksSkipped):
        execute(crawl(site, settings={**SETTINGS, "notification_email": "ana@example.com"}, force="False"))


def test_a_changed_source_is_a_new_version(site, execute, answer):
    first = execute(crawl(site))
    finished(execute, first)
    site.on("GET", "/iris.csv", answer("a,b\n3,4\n"))
    second = execute(crawl(site))
    assert second["is_new"]
    assert second["version"] != first["version"]


def test_a_mistake_in_a_setting_is_told_before_anything_is_fetched(site, execute):
    with pytest.raises(AirflowFailException, match="accuracy_threshold is 'abc', which is no number"):
        execute(crawl(site, settings={**SETTINGS, "accuracy_threshold": "abc"}))
    with pytest.raises(AirflowFailException, match="crawl_url is not set"):
        execute(crawl(site, url=""))
    with pytest.raises(AirflowFailException, match="given twice"):
        execute(crawl(site, settings={**SETTINGS, "crawl_url": "x"}))
    assert site.asked("/iris.csv") == []


def test_a_server_that_is_down_is_tried_again_and_an_address_that_leads_nowhere_is_not(site, execute, answer):
    site.on("GET", "/iris.csv", answer("", 503))
    with pytest.raises(ServiceAnswerError, match="The server of iris answered 503"):
        execute(crawl(site))
    site.on("GET", "/iris.csv", answer("", 404))
    with pytest.raises(AirflowFailException, match="There is no table iris"):
        execute(crawl(site))


def test_another_checksum_than_was_said_is_told_and_nothing_is_kept(site, execute, work):
    with pytest.raises(ServiceAnswerError, match="iris has the checksum"):
        execute(crawl(site, sha256="0" * 64))
    assert [path for path in work.rglob("*") if path.is_file()] == []


def test_a_web_page_in_the_place_of_data_fails_at_once(site, execute, answer, work):
    site.on("GET", "/iris.csv", answer("<!doctype html><p>Moved</p>"))
    with pytest.raises(AirflowFailException, match="a web page"):
        execute(crawl(site))
    assert [path for path in work.rglob("*") if path.is_file()] == []


def test_without_settings_it_is_a_crawler_alone(site, execute):
    found = execute(crawl(site, settings=None))
    assert found["settings"] == {}
    finished(execute, found)
    with pytest.raises(DownstreamTasksSkipped):
        execute(crawl(site, settings=None))


def test_what_is_secret_in_an_address_is_not_handed_on(site, execute, answer):
    site.on("GET", "/iris.csv", answer("a,b\n1,2\n"))
    found = execute(crawl(site, url=f"{site.url}/iris.csv?token=s3cret"))
    assert "s3cret" not in json.dumps(found)


def test_it_survives_a_serialize_round_trip():
    with DAG("shop", schedule=None) as dag:
        CrawlOperator(
            task_id="crawl", url="{{ var.value.url }}", source="iris", settings=SETTINGS, sha256="ab"
        )
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("crawl")
    assert (back.url, back.source, back.settings) == ("{{ var.value.url }}", "iris", SETTINGS)
