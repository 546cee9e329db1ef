"""The routes of a server's page, at the root and below a path, and who may ask."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from airfoil.stack.health import Health
from airfoil.stack.server_page.app import ServerPage
from airfoil.stack.server_page.rounds import Rounds
from airfoil.stack.server_page.watched import SERVICES

pytestmark = pytest.mark.unit

WRONG = SERVICES[1]


def get(path, *, host="status:8081", method="GET"):
    rounds = Rounds(
        SERVICES[:3], ask=lambda one: Health(one is not WRONG, "" if one is not WRONG else "gone")
    )
    page = ServerPage(rounds, ["status", "ml.example.org", ""], prefix="/status")

    async def ask():
        transport = httpx.ASGITransport(app=page.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://status") as client:
            return await client.request(method, path, headers={"Host": host})

    try:
        return asyncio.run(ask())
    finally:
        rounds.close()


@pytest.mark.parametrize("prefix", ["", "/status"])
def test_everything_is_there_at_both_places(prefix):
    assert get(f"{prefix}/healthz").json() == {"status": "ok"}
    assert "MLflow is not well" in get(f"{prefix}/").text
    assert 'airfoil_service_up{service="mlflow"} 0.0' in get(f"{prefix}/metrics").text
    style = get(f"{prefix}/static/page.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("prefix", ["", "/status"])
def test_the_table_that_the_shipped_pipeline_crawls_is_served_as_on_a_laptop(prefix):
    found = get(f"{prefix}/samples/iris.csv")
    assert found.text.count("\n") > 100
    assert found.headers["etag"]
    assert get(f"{prefix}/samples/none.csv").status_code == 404


def test_json_says_what_was_heard_and_not_where():
    found = get("/api/status").json()
    assert (found["schema"], found["level"], found["headline"]) == (1, "bad", "MLflow is not well")
    rows = {row["name"]: row for row in found["services"]}
    assert rows[WRONG.name]["healthy"] is False
    assert rows[WRONG.name]["detail"] == "gone"
    assert ":5000" not in str(found)


@pytest.mark.parametrize("name", ["page.js", "none.css", "..%2Fapp.py"])
def test_only_the_files_it_needs_are_served(name):
    assert get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("host", ["status", "status:8081", "ML.example.org", "10.0.0.7:8081", "localhost"])
def test_it_answers_by_its_names(host):
    assert get("/healthz", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example.org", "status.evil.org", "evil.org:8081"])
def test_a_foreign_name_is_refused(host):
    assert get("/", host=host).status_code == 421


def test_it_only_reads_and_says_what_a_browser_may_do():
    assert get("/", method="POST").status_code == 405
    assert "default-src 'none'" in get("/").headers["content-security-policy"]
