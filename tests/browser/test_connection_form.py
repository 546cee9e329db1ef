"""The connection form in Airflow's own UI, in a plain Airflow that has our wheel and nothing else of ours."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from tests.integration.provider_only import ProviderOnly, build_wheel, versions_in
from tests.system.platforms import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PATIENCE_MS = 60_000
SERVER = """
from airflow.models.connection import Connection
from airflow.utils.session import create_session
from airfoil.provider.hooks.mlflow import server_from
with create_session() as session:
    server = server_from(session.query(Connection).filter_by(conn_id="mlflow_typed").one())
print(server.uri, server.username, server.timeout_seconds, server.tries)
"""
PICTURES = os.environ.get("PICTURES", "")
"""A folder to keep the screenshot in."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> ProviderOnly:
    wheel = build_wheel(tmp_path_factory.mktemp("dist"))
    found = ProviderOnly(tmp_path_factory.mktemp("plain"))
    found.install(wheel, versions_in(wheel))
    found.well("airflow", "db", "migrate")
    return found


@pytest.fixture(scope="module")
def airflow(plain):
    with plain.api_server() as url:
        yield url


VALUES = "fields => fields.map(field => field.value)"


@pytest.fixture
def form(airflow, chromium):
    """The dialog for a new connection, with our type chosen."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{airflow}/connections")
    page.get_by_role("button", name="Add Connection").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").first.fill("mlflow")
    page.get_by_role("option", name="MLflow", exact=True).click()
    yield dialog
    page.close()


def test_the_fields_are_ours_and_those_that_mean_nothing_are_hidden(form):
    form.get_by_label("Tracking URI").wait_for()
    assert form.get_by_label("Tracking URI").get_attribute("placeholder") == "http://127.0.0.1:5000"
    assert form.get_by_label("User name").count() == 1
    assert form.get_by_label("Schema", exact=True).count() == 0
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    for label in ("Token", "CA file", "Timeout (seconds)", "Tries"):
        form.get_by_text(label, exact=True).first.wait_for()
    required = [label.inner_text() for label in form.locator("label", has_text="*").all()]
    assert [label.partition("\n")[0] for label in required] == ["Connection ID", "Connection Type"]
    # Our defaults; the page redraws while it fills them in, so all are read at once, and again.
    numbers = form.get_by_role("spinbutton")
    wait_until(lambda: {"10", "3"} <= set(numbers.evaluate_all(VALUES)), PATIENCE_MS / 1000, "the defaults")
    if PICTURES:
        form.page.screenshot(path=Path(PICTURES) / "connection-form.png")


def test_what_is_typed_is_what_the_hook_reads(form, airflow, plain):
    form.get_by_label("Connection ID").fill("mlflow_typed")
    form.get_by_label("Tracking URI").fill("https://mlflow.example.com/base")
    form.get_by_label("User name").fill("ana")
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="detached")
    token = httpx.get(f"{airflow}/auth/token", trust_env=False).json()["access_token"]
    kept = httpx.get(
        f"{airflow}/api/v2/connections/mlflow_typed",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ).json()
    assert (kept["conn_type"], kept["host"], kept["login"]) == (
        "mlflow",
        "https://mlflow.example.com/base",
        "ana",
    )
    said = plain.well("python", "-c", SERVER)
    assert "https://mlflow.example.com/base ana 10.0 3" in said
