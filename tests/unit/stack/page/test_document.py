from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from airfoil.stack.page import document, status
from airfoil.stack.page.facts import (
    AirflowFacts,
    DagRun,
    ImportProblem,
    MlflowFacts,
    ModelVersion,
    TrackedRun,
)

pytestmark = pytest.mark.unit

VERSIONS = {"page.css": "/static/page.css?1", "page.js": "/static/page.js?1"}
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;`code`"
VOID = {"meta", "link"}


class Reader(HTMLParser):
    """Collects elements and attributes, and fails on elements that do not close."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.open = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def render(state, facts):
    return document.document(status.build("/home/ann/shop", state, facts), VERSIONS)


def test_the_document_says_all_without_javascript(stack, facts):
    now = facts().now
    known = facts(
        memory_mib={"scheduler": 92.4, "manager": 12.0},
        airflow=AirflowFacts(
            now, runs=(DagRun("etl", "r", "success", "manual", now - 65, now - 60, "http://a/x"),)
        ),
        mlflow=MlflowFacts(
            now,
            runs=(TrackedRun("r", "train", "wine", "FINISHED", now - 30, now - 20, "http://m/r"),),
            models=(ModelVersion("wine", "4", ("champion",), now - 300, "http://m/m"),),
        ),
    )
    text = render(stack(), known)
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    for wanted in (
        "Everything is running",
        "104 MiB of 1,024 MiB",
        "10 s of 1 min",
        "Scheduler Running 1 min 0 92 MiB",
        "MLflow Running 1 min 0 3.17.2 127.0.0.1:5000",
        "Database and connections setup Done 1 min ago",
        "Manager restarts what dies Running 1 min 40 s 12 MiB",
        "Success etl manual 5.0 s 1 min ago",
        "Finished train wine 10 s 30 s ago",
        "wine version 4 @champion 5 min ago",
    ):
        assert wanted in words
    assert "<title>Everything is running · shop</title>" in text
    assert 'http-equiv="refresh"' in text


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(stack, facts):
    for element, attributes in Reader(render(stack(), facts())).elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if element in {"script", "link", "img"}:
            assert (attributes.get("src") or attributes.get("href")).startswith("/static/")


def test_hostile_text_stays_text(stack, change, facts):
    state = stack(engine=HOSTILE, notices=(HOSTILE,))
    state = change(
        state, "mlflow", title=HOSTILE, name=HOSTILE, version=HOSTILE, state="starting", detail=HOSTILE
    )
    state = change(state, "scheduler", url=f"http://h/{HOSTILE}")
    state = change(state, "api-server", url="javascript:alert(3)")
    known = facts(
        airflow=AirflowFacts(
            1.0,
            runs=(DagRun(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, 2.0, "javascript:alert(4)"),),
            import_errors=(ImportProblem(HOSTILE, HOSTILE),),
        ),
        mlflow=MlflowFacts(
            1.0,
            error=HOSTILE,
            runs=(TrackedRun(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, None, f"http://h/{HOSTILE}"),),
            models=(ModelVersion(HOSTILE, HOSTILE, (HOSTILE,), 1.0, "data:text/html,x"),),
        ),
    )
    reader = Reader(document.document(status.build(f"/p/{HOSTILE}", state, known), VERSIONS))
    assert [attributes for element, attributes in reader.elements if element == "script"] == [
        {"src": "/static/page.js?1", "defer": None}
    ]
    assert "img" not in {element for element, _ in reader.elements}
    assert not any(str(a.get("href", "")).startswith(("javascript:", "data:")) for _, a in reader.elements)
    assert reader.text.count("<script>alert(1)</script>") >= 10


def test_no_stack_is_a_page_too(facts):
    text = render(None, facts())
    assert "Airfoil is not running" in text
    assert "<code>airfoil up</code>" in text
    assert "· shop</title>" in text
    Reader(text)


@pytest.mark.parametrize(
    ("condition", "word", "level"),
    [
        ("ready", "Running", "good"),
        ("starting", "Starting", "busy"),
        ("restarting", "Restarting", "busy"),
        ("unhealthy", "Not healthy", "bad"),
        ("failed", "Down", "bad"),
        ("stopped", "Stopped", "off"),
    ],
)
def test_a_state_is_a_word_and_a_dot(stack, change, facts, condition, word, level):
    text = render(change(stack(), "mlflow", state=condition), facts())
    row = text[text.index('id="service-mlflow"') :].split("</tr>")[0]
    assert f'data-level="{level}"><i class="dot" aria-hidden="true"></i>{word}</span>' in row


def test_an_address_is_a_link_only_while_somebody_answers_there(stack, change, facts):
    assert 'href="http://127.0.0.1:5000"' in render(stack(), facts())
    assert 'href="http://127.0.0.1:5000"' not in render(change(stack(), "mlflow", state="failed"), facts())


def test_empty_lists_say_why(stack, change, facts):
    assert render(stack(), facts()).count("Waiting for the first answer…") == 3
    answered = facts(airflow=AirflowFacts(1.0), mlflow=MlflowFacts(1.0))
    text = render(stack(), answered)
    assert "No DAG has run yet. <code>airfoil demo</code> runs two." in text
    assert "Nothing is logged yet." in text
    assert "No model is registered yet." in text
    down = render(change(stack(), "mlflow", state="failed"), facts())
    assert down.count("Not running, so there is nothing to show.") == 2
    assert "No answer so far." in render(stack(), facts(airflow=AirflowFacts(error="refused")))


def test_an_old_list_says_how_old_it_is(stack, change, facts):
    known = facts(
        airflow=AirflowFacts(facts().now - 20, runs=(DagRun("d", "r", "running", "", 1.0, None, ""),))
    )
    text = render(change(stack(), "api-server", state="restarting"), known)
    assert re.search(r"as seen <time[^>]*>20 s ago</time>", text)


def test_over_budget_is_said_by_the_bar_too(stack, facts):
    text = render(stack(), facts(memory_mib={"scheduler": 2000.0}))
    assert 'class="gauge over"' in text
    assert 'class="bar over"' in text
    assert "The stack takes 2,000 MiB" in text


def test_a_moment_that_no_calendar_knows_is_still_said(stack, change, facts):
    text = render(change(stack(), "mlflow", since=1e30), facts())
    assert "0.0 s" in text


def test_a_bare_command_as_next_move_is_set_as_code(stack, facts):
    known = facts(mlflow=MlflowFacts(error="refused", next_move="airfoil doctor"))
    assert "<code>airfoil doctor</code></p>" in render(stack(), known)
