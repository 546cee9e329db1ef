"""Servers that are not ours, on the page and in a terminal: whether they answer, and what is lost, in plain words."""

from __future__ import annotations

import dataclasses

import pytest

from airfoil.stack.page import diagnosis, panels
from airfoil.stack.page.borrowed import LOST, borrowed_servers
from airfoil.stack.page.facts import AirflowFacts, DagRun, ImportProblem, MlflowFacts
from airfoil.stack.page.status import build

pytestmark = pytest.mark.unit

URL = "https://ml.example.com"


def test_a_server_answers_is_silent_or_was_not_heard_yet(facts):
    said = {
        "unknown": MlflowFacts(),
        "answers": MlflowFacts(answered_at=1.0, version="3.17.2"),
        "silent": MlflowFacts(answered_at=1.0, error="MLflow is away."),
    }
    for state, answer in said.items():
        (found,) = borrowed_servers({"mlflow": URL}, facts(mlflow=answer))
        assert (found.state, found.url, found.lost) == (state, URL, LOST["mlflow"])


def test_a_name_of_a_newer_release_is_left_out(facts):
    assert borrowed_servers({"feast": URL}, facts()) == ()


@pytest.mark.parametrize("name", ["airflow", "mlflow"])
def test_each_loss_is_a_sentence(name):
    assert LOST[name]
    for sentence in LOST[name]:
        assert sentence.endswith(".")
        assert "guarantee" not in sentence, "plain words"


def without(stack, service, **foreign):
    """A stack that does not start this service, because another server stands in for it."""
    base = stack()
    rows = tuple(row for row in base.services if row.name != service)
    return dataclasses.replace(base, services=rows, foreign=foreign)


def test_a_foreign_server_that_answers_is_no_problem_and_is_named(stack, facts):
    state = without(stack, "mlflow", mlflow=URL)
    shown = build("shop", state, facts(mlflow=MlflowFacts(answered_at=1.0, version="3.17.2")))
    assert shown.headline.text == "Everything is running"
    assert shown.problems == ()
    html = str(panels.borrowed(shown))
    for part in (
        "Not ours",
        "Answers",
        "ml.example.com",
        "version 3.17.2",
        "in nobody's backup".replace("'", "&#x27;"),
    ):
        assert part in html


def test_a_foreign_server_that_is_away_is_red_and_everything_else_goes_on(stack, facts):
    state = without(stack, "mlflow", mlflow=URL)
    shown = build(
        "shop", state, facts(mlflow=MlflowFacts(error="MLflow does not answer.", next_move="Start it."))
    )
    assert (shown.headline.level, shown.headline.text) == ("bad", "Trouble with MLflow")
    (problem,) = shown.problems
    assert (problem.severity, problem.subject, problem.next_move) == ("error", "mlflow", "Start it.")
    assert "No answer so far." in str(panels.tracked_runs(shown))


def test_files_that_a_foreign_airflow_cannot_import_are_a_note_only(stack, facts):
    state = without(stack, "api-server", airflow=URL)
    answer = AirflowFacts(answered_at=1.0, import_errors=(ImportProblem("their.py", "SyntaxError"),))
    (problem,) = diagnosis.problems(state, facts(airflow=answer))
    assert (problem.severity, problem.subject) == ("notice", "dags")
    assert URL in problem.next_move


def test_runs_of_a_foreign_airflow_link_to_it(stack, facts):
    state = without(stack, "api-server", airflow=URL)
    run = DagRun("train", "r1", "success", "manual", 1.0, 2.0, f"{URL}/dags/train/runs/r1")
    html = str(
        panels.dag_runs(build("shop", state, facts(airflow=AirflowFacts(answered_at=1.0, runs=(run,)))))
    )
    assert f'href="{URL}/dags/train/runs/r1"' in html
    assert f'href="{URL}"' in html, "the link to the whole list"


def test_with_both_foreign_only_the_page_is_left_and_that_is_well(stack, facts):
    base = stack()
    page = tuple(row for row in base.services if row.name == "page")
    state = dataclasses.replace(base, services=page, foreign={"airflow": URL, "mlflow": URL})
    shown = build(
        "shop", state, facts(airflow=AirflowFacts(answered_at=1.0), mlflow=MlflowFacts(answered_at=1.0))
    )
    assert shown.headline.level == "good"
    assert [server.name for server in shown.foreign] == ["airflow", "mlflow"]


def test_an_address_that_is_no_web_address_is_no_link(stack, facts):
    shown = build("shop", without(stack, "mlflow", mlflow="javascript:alert(1)"), facts())
    assert "href" not in str(panels.borrowed(shown))
