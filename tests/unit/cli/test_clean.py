"""`airfoil clean`: which parts, how old, and what is said."""

from __future__ import annotations

import pytest

from airfoil.stack import process, services, tidying

pytestmark = pytest.mark.unit


@pytest.fixture
def asked(monkeypatch):
    """What was to be tidied up."""
    seen = []

    def tidy(_project, _settings, _environment, part, days, *, dry_run):
        seen.append((str(part), days, dry_run))
        return {"runs": 3}

    monkeypatch.setattr(tidying, "tidy", tidy)
    return seen


def test_each_part_has_its_own_age(airfoil, project, asked):
    done = airfoil("clean", "mlflow", "work", "mlflow")
    assert done.code == 0, done.err
    assert asked == [("mlflow", 30, False), ("work", 7, False)]
    assert "MLflow's deleted runs, older than 30 days: 3 runs removed." in done.out


def test_a_dry_run_says_what_would_go(airfoil, project, asked):
    assert "3 runs would go." in airfoil("clean", "logs", "--older-than", "2.5", "--dry-run").out
    assert asked == [("logs", 2.5, True)]


def test_scripts_get_numbers(airfoil, project, asked):
    done = airfoil("clean", "airflow", "--json")
    assert done.json() == {"schema": 1, "dry_run": False, "removed": {"airflow": {"runs": 3}}}


def test_a_part_has_to_be_named(airfoil, project, asked):
    assert airfoil("clean").code == 2
    assert airfoil("clean", "everything").code == 2
    assert asked == []


def test_the_help_tells_the_ages_that_hold(airfoil):
    said = " ".join(airfoil("clean", "--help").out.split())
    assert ", ".join(f"{part} {days}" for part, days in tidying.KEPT_DAYS.items()) in said


def test_with_a_server_as_target_nothing_of_this_machine_is_cleaned(
    airfoil, project, asked, server_as_target, monkeypatch
):
    server_as_target(project)
    done = airfoil("clean", "work", "airflow", "work", "--dry-run")
    assert (done.code, asked) == (1, [])
    assert "docker compose exec maintenance python -m " in done.err
    assert "airfoil.runtime.container.maintenance clean work airflow`" in done.err
    monkeypatch.setenv(process.STACK_MARK, services.stack_id(project))
    assert airfoil("clean", "work").code == 0, "the platform's own DAG means the platform"
    assert asked
