"""The models page in a real browser: it fits a phone, follows the theme, and asks nobody but its own server."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI
from tests.browser.conftest import free_port
from tests.browser.test_status_page import CONTRAST

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.provider.views.pages import routes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

LONG = "a_model_with_a_name_that_nobody_would_choose_but_somebody_did_" * 2


class Everybody:
    """An auth manager that lets everybody in."""

    def is_authorized_view(self, **_: object) -> bool:
        return True


def filled() -> FakeMlflow:
    """A registry with a long history, long words and a failed gate."""
    server = FakeMlflow()
    with MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server)) as http:
        ledger = Ledger(Claims())
        for name in ("wine", LONG):
            http.post(f"{API}/registered-models/create", {"name": name})
            for _ in range(3):
                http.post(f"{API}/model-versions/create", {"name": name, "source": f"s3://bucket/{'x' * 90}"})
            for version in (1, 2, 3, 1):
                gate = {"passed": version != 3, "metric": "auc", "reason": f"auc 0.9{version} against 0.9"}
                http.do(
                    ledger.move(
                        name,
                        "champion",
                        version,
                        who="ada",
                        reason="why not " * 12,
                        gate=gate,
                        dag_run="d" * 80,
                    )
                )
    return server


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page's own routes, served for real; only the login is everybody's."""
    server, patch = filled(), pytest.MonkeyPatch()
    patch.setattr(security, "get_auth_manager", Everybody)
    app = FastAPI()
    app.dependency_overrides[security.get_user] = lambda: "viewer"
    address = MlflowServer("http://mlflow.test", tries=1)
    app.include_router(
        routes(lambda: MlflowHttp(address, transport=httpx.MockTransport(server))), prefix="/airfoil"
    )
    port = free_port(0)
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/airfoil"
    running.should_exit = True
    thread.join(10)
    patch.undo()


@pytest.fixture
def visit(chromium, address):
    """Open a page; what the browser asked for, complained about, and shows."""
    contexts = []

    def visit(path, *, width=1280, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{address}{path}")
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", ["/models", "/models/wine", f"/models/{LONG}"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_asks_nobody_else(visit, address, path, width):
    page = visit(path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in page.asked if not url.startswith(address) and "favicon" not in url] == []
    assert [said for said in page.complaints if "favicon" not in said] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/models", "/models/wine", "/models/nobody"])
def test_every_word_can_be_read(visit, path, scheme):
    assert visit(path, scheme=scheme).evaluate(CONTRAST) == []


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_it_follows_the_system_and_airflows_own_choice_of_theme(visit, address):
    light, dark = visit("/models"), visit("/models", scheme="dark")
    assert ground(light) != ground(dark)
    light.evaluate("localStorage.setItem('theme', 'dark')")
    light.reload()
    assert ground(light) == ground(dark)


def test_one_click_leads_to_a_model_and_one_back(visit):
    page = visit("/models")
    page.get_by_role("link", name="wine").click()
    page.get_by_role("heading", name="Moves").wait_for()
    assert page.get_by_text("Gate failed").count() == 1
    page.get_by_role("link", name="All models").click()
    page.get_by_role("heading", name="Models").wait_for()
