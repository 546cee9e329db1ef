"""The app is built when the first request comes, and every route of it asks who is there."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

from airfoil.provider.web import EXTERNAL_VIEWS, PREFIX, LazyApp, make_app

pytestmark = pytest.mark.unit

FOR_SIGNED_MESSAGES = {"/events", "/events/wait"}


def paths(app):
    return {route.path for route in app.routes}


def ask(app, method, path):
    async def work():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://airflow.test") as client:
            return await client.request(method, path)

    return asyncio.run(work())


def test_nothing_is_built_before_the_first_request():
    made = []

    def make():
        made.append(make_app())
        return made[-1]

    app = LazyApp(make)
    assert made == []
    ask(app, "GET", "/models")
    ask(app, "GET", "/models")
    assert len(made) == 1


@pytest.mark.parametrize("path", sorted(paths(make_app()) - FOR_SIGNED_MESSAGES))
def test_nobody_sees_a_page_without_a_login(path):
    assert ask(make_app(), "GET", path.replace("{name}", "wine")).status_code == 401


@pytest.mark.parametrize("path", sorted(FOR_SIGNED_MESSAGES))
def test_what_needs_no_login_needs_a_signature(path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WEBHOOK_URL", "http://airflow.test/airfoil/events")
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WEBHOOK_SECRET", "s3cret")
    assert ask(make_app(), "POST", path).status_code == 400


def test_no_page_describes_the_interface_to_strangers():
    assert {"/docs", "/redoc", "/openapi.json"} & paths(make_app()) == set()


@pytest.mark.parametrize("view", EXTERNAL_VIEWS, ids=lambda view: view["name"])
def test_airflow_accepts_the_view_and_finds_it_below_any_base_path(view):
    ExternalViewResponse.model_validate(view)
    assert not view["href"].startswith(("/", "http"))
    assert f"/{view['href']}".startswith(PREFIX)
