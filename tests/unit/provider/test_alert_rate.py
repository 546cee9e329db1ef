"""A DAG sends so many alerts an hour; the next one tells how many were held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.provider.alert_rate import Admission, admit, most_an_hour, take_back, with_held_back
from airfoil.steps.alerts import Alert

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    return tmp_path / "work"


def ask(at, dag_id="churn"):
    return admit(dag_id, most=2, clock=lambda: at)


def test_more_than_so_many_an_hour_are_held_back_and_counted():
    assert [ask(at).allowed for at in (0, 10, 20, 30)] == [True, True, False, False]
    assert ask(20, "other").allowed
    later = ask(3605)
    assert (later.allowed, later.held_back) == (True, 2)
    assert not ask(3606).allowed, "those of 10 s and 3605 s count"
    assert ask(3700).held_back == 1


def test_an_alert_that_reached_nobody_does_not_count():
    first = ask(0)
    take_back(first)
    assert [ask(at).allowed for at in (1, 2, 3)] == [True, True, False]
    take_back(Admission(allowed=True))


def test_where_nothing_can_be_counted_everything_is_sent(work, monkeypatch):
    work.write_text("a file where the folder should be")
    assert [ask(at) for at in (0, 1, 2)] == [Admission(allowed=True)] * 3
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", "s3://bucket/work")
    assert ask(3).mark == Path()


def test_a_mark_of_somebody_elses_is_old(work):
    folder = work / ".alerts" / "churn"
    folder.mkdir(parents=True)
    (folder / "sent-yesterday").touch()
    assert ask(5000).allowed
    assert not (folder / "sent-yesterday").exists()


def test_the_next_alert_says_how_many_there_were():
    alert = Alert(kind="failed", dag_id="churn", text="Ask the team.")
    assert with_held_back(alert, 0, most=5) is alert
    assert with_held_back(alert, 3, most=5).text == (
        "Ask the team.\n3 alerts of this DAG before this one were held back, at most 5 an hour are sent."
    )


@pytest.mark.parametrize(
    ("said", "most"), [(None, 12), ("", 12), ("3", 3), ("0", 12), ("-1", 12), ("many", 12), ("2.5", 12)]
)
def test_how_many_are_sent_says_airflows_configuration(said, most, monkeypatch, caplog):
    if said is not None:
        monkeypatch.setenv("AIRFLOW__AIRFOIL__ALERT_MOST_AN_HOUR", said)
    assert most_an_hour() == most
    assert ("no number from 1" in caplog.text) == (said in {"0", "-1", "many", "2.5"})
