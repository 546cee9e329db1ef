"""An alert tells all it knows, and nothing that people wrote becomes a header, a tag or a link."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from airfoil.steps.alerts import SUBJECT_CHARACTERS, Alert, AlertLink, chat, html, plain, subject

pytestmark = pytest.mark.unit

FAILED = Alert(
    kind="failed",
    dag_id="churn",
    run_id="scheduled__2026-11-22T04:00:00+00:00",
    task_id="train",
    also=("measure", "publish"),
    reason="ValueError: accuracy 0.71 is below 0.85.",
    text="Ask the churn team.\nRunbook: page 3",
    links=(
        AlertLink(title="Airflow", url="http://airflow.test/dags/churn"),
        AlertLink(title="MLflow run", url="http://mlflow.test/#/runs/1?a=1&b=2"),
    ),
)
EVIL = '<script>alert("x")</script>\r\nBcc: all@example.com\x1b[31m\u202e<!channel>'


def test_a_subject_says_who_what_and_why():
    assert subject(FAILED) == "churn failed in train: ValueError: accuracy 0.71 is below 0.85"
    assert subject(Alert(kind="late", dag_id="churn")) == "churn is late"


def test_the_text_has_everything_in_order():
    assert plain(FAILED) == (
        "churn failed in train.\n\n"
        "ValueError: accuracy 0.71 is below 0.85.\n\n"
        "Ask the churn team.\nRunbook: page 3\n\n"
        "Run:         scheduled__2026-11-22T04:00:00+00:00\n"
        "Task:        train\n"
        "Also failed: measure, publish\n"
        "Airflow:     http://airflow.test/dags/churn\n"
        "MLflow run:  http://mlflow.test/#/runs/1?a=1&b=2\n"
    )


def test_the_page_has_the_same_and_its_links_work():
    page = html(FAILED)
    assert "Ask the churn team.<br>Runbook: page 3" in page
    assert '<a href="http://mlflow.test/#/runs/1?a=1&amp;b=2">MLflow run</a>' in page
    assert "measure, publish" in page


def test_a_chat_gets_a_text_and_blocks():
    found = chat(FAILED)
    assert found["text"] == subject(FAILED)
    assert [block["text"]["type"] for block in found["blocks"]] == ["mrkdwn", "mrkdwn"]
    assert found["blocks"][0]["text"]["text"].startswith("*churn failed in train*\n")
    assert "<http://airflow.test/dags/churn|Airflow>" in found["blocks"][1]["text"]["text"]


def test_an_alert_of_nothing_but_a_dag_is_whole():
    bare = Alert(kind="succeeded", dag_id="churn")
    assert plain(bare) == "churn succeeded.\n"
    assert "None" not in html(bare)
    assert len(chat(bare)["blocks"]) == 1


def test_many_tasks_are_counted_and_not_listed():
    many = FAILED.model_copy(update={"also": tuple(f"t{n}" for n in range(200))})
    assert "t0, t1, t2, t3, t4 and 195 more" in plain(many)


@pytest.mark.parametrize("field", ["dag_id", "run_id", "task_id", "reason", "text"])
def test_what_people_wrote_stays_text(field):
    evil = FAILED.model_copy(update={field: EVIL})
    assert "\r" not in subject(evil)
    assert "\n" not in subject(evil)
    assert "\x1b" not in plain(evil)
    assert "\u202e" not in plain(evil)
    assert "<script" not in html(evil)
    assert "<!channel>" not in json.dumps(chat(evil))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://[",
        "http://a b",
        'http://a"onclick=x',
        "http:",
        "",
    ],
)
def test_a_link_that_is_no_web_page_is_left_out(url):
    odd = FAILED.model_copy(update={"links": (AlertLink(title="x", url=url),)})
    assert "<a" not in html(odd)
    assert len(chat(odd)["blocks"]) == 1


@given(some.text(), some.text(), some.text(max_size=5000))
def test_any_words_fit(dag_id, task_id, reason):
    alert = Alert(kind="failed", dag_id=dag_id, task_id=task_id, reason=reason, text=reason)
    assert len(subject(alert)) <= SUBJECT_CHARACTERS
    assert subject(alert).isprintable()
    assert html(alert)
    assert plain(alert)
    assert all(len(block["text"]["text"]) <= 3000 for block in chat(alert)["blocks"])


def test_an_alert_survives_json():
    assert Alert.from_json(FAILED.to_json()) == FAILED


NEWS = Alert(
    kind="rejected",
    dag_id="ml_pipeline",
    run_id="manual__1",
    title="no new iris model, the champion stays",
    reason="accuracy is 0.7; at least 0.8 is needed",
    numbers={"Accuracy": "0.7", "Free disk": "3 of 8 GiB"},
    next_move="Try another model type.",
)


def test_news_tell_numbers_and_the_next_move_in_every_form():
    assert subject(NEWS).startswith("ml_pipeline: no new iris model, the champion stays: accuracy is 0.7")
    assert plain(NEWS) == (
        "ml_pipeline: no new iris model, the champion stays.\n\n"
        "accuracy is 0.7; at least 0.8 is needed\n\n"
        "Accuracy:  0.7\nFree disk: 3 of 8 GiB\n\n"
        "Next: Try another model type.\n\n"
        "Run: manual__1\n"
    )
    page = html(NEWS)
    for said in (">3 of 8 GiB</td>", "<strong>Next:</strong> Try another model type.", "#9a5b00"):
        assert said in page
    assert "Accuracy: 0.7\nFree disk: 3 of 8 GiB\nNext: Try another model type." in json.dumps(
        chat(NEWS)
    ).replace("\\n", "\n")


def test_numbers_that_people_wrote_stay_text_and_are_not_endless():
    evil = NEWS.model_copy(update={"title": EVIL, "next_move": EVIL, "numbers": {EVIL: EVIL}})
    assert "<script" not in html(evil)
    assert "\r" not in subject(evil)
    assert "<!channel>" not in json.dumps(chat(evil))
    many = NEWS.model_copy(update={"numbers": {f"n{number}": "1" for number in range(40)}})
    assert "n29" in plain(many)
    assert "n30" not in plain(many)
    assert "and 10 more" in plain(many)
