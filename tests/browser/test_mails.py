"""Every kind of mail in a real Chromium, as a real mail server took it: it fits, can be read, and loads nothing."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.browser.test_status_page import CONTRAST
from tests.mail_server import MailServerForTests, serving
from tests.sizes import full_only

from airfoil.clients.mail import MailServer, compose, send_mail
from airfoil.records import GateDecision, LedgerEntry
from airfoil.steps.alert_numbers import facts_of
from airfoil.steps.alerts import Alert, AlertLink, html, plain, subject
from airfoil.steps.lifecycle.cleaning import CleaningRecord
from airfoil.steps.lifecycle.monitoring import MonitoringRecord, ServiceHealth

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PICTURES", "")
"""`PICTURES=FOLDER` keeps all screenshots there."""
NOW = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
RUN = "scheduled__2026-11-22T05:30:00+00:00"
LINKS = (
    AlertLink(title="Airflow", url=f"http://127.0.0.1:8080/dags/ml_pipeline/runs/{RUN}"),
    AlertLink(title="MLflow: validate_model", url="http://127.0.0.1:5000/#/experiments/3/runs/0a1b2c3d"),
)
DECISION = GateDecision(
    passed=True,
    metric="accuracy",
    value=0.9737,
    needed=0.9474,
    baseline=0.9474,
    rows=38,
    outcome="passed",
    reason="accuracy is 0.973684 on 38 rows; at least 0.8 is needed, and at least 0.947368 is needed, for "
    "iris@champion (version 3) has 0.947368",
    against="iris@champion",
    against_version=3,
)
REFUSED = DECISION.model_copy(
    update={
        "passed": False,
        "outcome": "failed",
        "value": 0.7105,
        "reason": DECISION.reason.replace("0.973684", "0.710526"),
    }
)
MOVED = LedgerEntry(
    model="iris", alias="champion", number=4, at=NOW, kind="promote", who="ana", from_version=3, to_version=4
)
WATCHED = MonitoringRecord(
    model="iris",
    alias="champion",
    version=4,
    at=NOW,
    rows=38,
    accuracy=0.9737,
    latency_ms={"p50": 1.21, "p95": 1.9, "most": 4.7},
    predicted={"setosa": 0.34, "versicolor": 0.32, "virginica": 0.34},
    services=(
        ServiceHealth(name="MLflow", healthy=True, said="ok"),
        ServiceHealth(name="Airflow", healthy=False, said="triggerer is unhealthy"),
    ),
    free_disk_gib=12.3,
    whole_disk_gib=40,
)
COUNTED = CleaningRecord(
    rows=148, rejected=2, reasons={"sepal_width is no number": 1, "species is missing": 1}
)


def news(kind, title, next_move, *about):
    found = facts_of(about)
    return Alert(
        kind=kind,
        dag_id="ml_pipeline",
        run_id=RUN,
        title=title,
        reason=found.reason,
        numbers=found.numbers,
        next_move=next_move,
        links=LINKS,
    )


MAILS = {
    "deployed": news(
        "succeeded",
        "a new iris model is deployed",
        "Nothing has to be done. To go back: airfoil models rollback iris",
        DECISION,
        MOVED,
        WATCHED,
        COUNTED,
    ),
    "refused": news(
        "rejected",
        "no new iris model, the champion stays",
        "Look at the rejected rows and the charts of evaluate, try another ml_model_type or a search, or lower "
        "accuracy_threshold; then run the pipeline again.",
        REFUSED,
        COUNTED,
    ),
    "failed": Alert(
        kind="failed",
        dag_id="ml_pipeline",
        run_id=RUN,
        task_id="crawl_data",
        reason="The server of iris does not answer, or stopped in the middle: [Errno 111] Connection refused. "
        "Try again later; the version before is kept.",
        next_move="Mend what the reason tells, then clear the failed tasks in Airflow; what is done stays done.",
        links=LINKS[:1],
    ),
    "late": Alert(
        kind="late",
        dag_id="ml_pipeline",
        run_id=RUN,
        reason="It was to be done at 2026-11-22 06:30:00 UTC, and it still runs.",
        text="12 alerts of this DAG before this one were held back, at most 12 an hour are sent.",
        links=LINKS[:1],
    ),
    "awkward": Alert(
        kind="failed",
        dag_id="x" * 90,
        run_id="manual__" + "y" * 120,
        task_id="<b>bold</b>",
        reason="z" * 300 + " <script>document.title='taken'</script>",
        numbers={"n" * 60: "7" * 200, "<i>": "&amp;"},
        next_move="a" * 200,
    ),
}


@pytest.fixture(scope="module")
def delivered():
    """The page of each mail, out of the mail server that it was handed to."""
    found = {}
    with serving(MailServerForTests()) as server:
        for name, alert in MAILS.items():
            message = compose(
                "airfoil@example.com", ["ml-team@example.com"], subject(alert), plain(alert), html(alert)
            )
            send_mail(MailServer("127.0.0.1", server.port), message)
            found[name] = server.mails[-1].part("html")
    return found


@pytest.mark.parametrize("width", [360, pytest.param(1000, marks=full_only)])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in {"awkward", "deployed"} else full_only)
        for name in sorted(MAILS)
    ],
)
def test_a_mail_fits_and_can_be_read(chromium, delivered, tmp_path, name, width):
    context = chromium.new_context(viewport={"width": width, "height": 700})
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    try:
        tab = context.new_page()
        tab.set_content(delivered[name])
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate(CONTRAST) == []
        assert tab.title() == ""
        assert tab.locator("script").count() == 0
        folder = Path(PICTURES) if PICTURES else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=folder / f"mail-{name}-{width}.png", full_page=True)
    finally:
        context.close()
    assert asked == []


def test_what_a_reader_needs_is_there(chromium, delivered):
    context = chromium.new_context()
    try:
        tab = context.new_page()
        tab.set_content(delivered["deployed"])
        text = tab.locator("body").inner_text()
        for said in (
            "a new iris model is deployed",
            "version 4, before it version 3",
            "triggerer is unhealthy",
            "Next:",
        ):
            assert said in text
        links = tab.locator("a").evaluate_all("all => all.map(one => one.href)")
        assert links == [link.url for link in LINKS]
    finally:
        context.close()
