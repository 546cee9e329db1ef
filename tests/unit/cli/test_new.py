"""`airfoil new`: what is written is clean, and what cannot be is one sentence."""

from __future__ import annotations

import pytest
from tests.tables import write_customers, write_houses

from airfoil.lint import Source, check_source
from airfoil.lint.source import parse_source

pytestmark = pytest.mark.unit


def faults(path):
    source = parse_source(path.read_bytes(), path.name)
    assert isinstance(source, Source)
    return check_source(source)


def test_a_new_dag_is_clean(airfoil, project):
    said = airfoil("new", "dag", "nightly", "--schedule", "0 2 * * *")
    assert said.code == 0
    assert "Wrote dags/nightly.py" in said.out
    assert "airfoil run nightly" in said.out
    assert faults(project.dags / "nightly.py") == []
    assert 'schedule="0 2 * * *"' in (project.dags / "nightly.py").read_text(encoding="utf-8")


def test_a_new_training_is_clean(airfoil, project):
    write_customers(project.root / "customers.csv")
    write_houses(project.root / "houses.csv")
    assert airfoil("new", "training", "churn", "--from", "customers.csv", "--target", "churned").code == 0
    said = airfoil("new", "training", "prices", "--from", "houses.csv", "--target", "price")
    assert said.code == 0
    assert "price: regression, 4 features, 400 rows looked at." in said.out
    assert faults(project.dags / "churn.py") == []
    assert faults(project.dags / "prices.py") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dag", "größe"), "cannot be the name of a DAG"),
        (("training", "x", "--from", "none.csv", "--target", "y"), "does not exist"),
        (("training", "x", "--from", "empty.csv", "--target", "y"), "is empty"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(airfoil, project, arguments, said):
    (project.root / "empty.csv").touch()
    outcome = airfoil("new", *arguments)
    assert outcome.code == 1
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert list(project.dags.iterdir()) == []


def test_a_wrong_schedule_is_a_usage_error(airfoil, project):
    outcome = airfoil("new", "dag", "x", "--schedule", "daily")
    assert outcome.code == 2
    assert "no schedule" in outcome.err


def test_running_it_needs_a_platform(airfoil, project):
    write_customers(project.root / "customers.csv")
    outcome = airfoil("new", "training", "churn", "--from", "customers.csv", "--target", "churned", "--run")
    assert outcome.code == 1
    assert "airfoil up" in outcome.err
    assert (project.dags / "churn.py").is_file()
