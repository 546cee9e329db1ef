from __future__ import annotations

import pytest

from airfoil.errors import ServiceUnreachableError
from airfoil.stack.page import neighbours
from airfoil.stack.page.facts import AirflowFacts, DagRun, ImportProblem, MlflowFacts

pytestmark = pytest.mark.unit


class FakeAirflow:
    """Answers, or raises what it is told to."""

    def __init__(self, failure=None):
        self.failure = failure
        self.closed = False
        self.errors = []

    def recent_runs(self, limit):
        if self.failure is not None:
            raise self.failure
        return [{"dag_id": "etl", "dag_run_id": "r", "state": "success"}][:limit]

    def import_errors(self):
        return self.errors

    def close(self):
        self.closed = True


class FakeMlflow:
    def latest_runs(self, limit):
        return [{"run_id": "r", "name": "train", "status": "FINISHED"}]

    def model_versions(self, limit):
        return [{"name": "wine", "version": "1", "aliases": ["champion"]}]

    def close(self):
        raise AssertionError


def plain(text):
    return text.replace("hunter22", "•••")


def make(clients):
    made = []

    def connect(url):
        made.append((url, clients.pop(0)))
        return made[-1][1]

    def read(client, url):
        return neighbours.read_airflow(client, url, 50.0, plain)

    return neighbours.Neighbour("Airflow", connect, read, plain), made


def test_a_connection_is_kept_while_it_works():
    neighbour, made = make([FakeAirflow()])
    first = neighbour.ask("http://a", AirflowFacts())
    assert neighbour.ask("http://a", first) == first
    assert len(made) == 1
    assert (first.answered_at, first.runs[0].url) == (50.0, "http://a/dags/etl/runs/r")


def test_another_address_means_another_connection():
    one, two = FakeAirflow(), FakeAirflow()
    neighbour, made = make([one, two])
    neighbour.ask("http://a", AirflowFacts())
    neighbour.ask("http://b", AirflowFacts())
    assert [url for url, _ in made] == ["http://a", "http://b"]
    assert one.closed
    assert not two.closed


def test_a_failure_keeps_the_last_lists_and_logs_in_anew():
    broken = FakeAirflow(ServiceUnreachableError("Airflow said hunter22.", "airfoil doctor"))
    neighbour, made = make([broken, FakeAirflow()])
    run = DagRun("old", "r", "success", "", None, None, "")
    last = AirflowFacts(answered_at=9.0, runs=(run,))
    told = neighbour.ask("http://a", last)
    assert (told.error, told.next_move) == ("Airflow said •••.", "airfoil doctor")
    assert (told.answered_at, told.runs) == (9.0, (run,))
    assert broken.closed
    recovered = neighbour.ask("http://a", told)
    assert recovered.error == ""
    assert len(made) == 2


@pytest.mark.parametrize("failure", [KeyError("x"), TypeError("hunter22"), RecursionError()])
def test_an_answer_nobody_foresaw_is_told_not_raised(failure):
    neighbour, _ = make([FakeAirflow(failure)])
    told = neighbour.ask("http://a", AirflowFacts())
    assert told.error == f"Airflow gave an answer that makes no sense ({type(failure).__name__})."


def test_a_connection_that_cannot_be_made_is_told():
    def connect(url):
        raise ServiceUnreachableError("secrets.json is empty.")

    neighbour = neighbours.Neighbour("MLflow", connect, lambda _client, _url: MlflowFacts(), plain)
    assert neighbour.ask("http://m", MlflowFacts()).error == "secrets.json is empty."


def test_secrets_in_an_import_error_are_taken_out():
    client = FakeAirflow()
    client.errors = [{"filename": "a.py", "stack_trace": "ValueError: hunter22"}]
    answer = neighbours.read_airflow(client, "http://a", 1.0, plain)
    assert answer.import_errors == (ImportProblem("a.py", "ValueError: •••"),)


def test_mlflow_is_read_into_facts():
    answer = neighbours.read_mlflow(FakeMlflow(), 3.0)
    assert (answer.answered_at, answer.runs[0].name, answer.models[0].aliases) == (
        3.0,
        "train",
        ("champion",),
    )
