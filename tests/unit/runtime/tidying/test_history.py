"""Airflow's history: what is asked of Airflow, and how the answer is counted. The real database is integration's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airfoil.runtime.tidying import history

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cleaned(monkeypatch):
    """What `db clean` was asked; five rows of each table go."""
    asked = []
    monkeypatch.setattr("airflow.utils.db_cleanup.run_cleanup", lambda **given: asked.append(given))
    monkeypatch.setattr(history, "_oldest_unfinished", list)
    monkeypatch.setattr(history, "_rows", lambda: dict.fromkeys(history.COUNTED, 7 - 5 * len(asked)))
    return asked


def test_it_is_airflows_own_cleaning_without_an_archive(cleaned):
    assert history.clean(MOMENT.timestamp(), dry_run=False) == dict.fromkeys(history.COUNTED.values(), 5)
    assert cleaned == [
        {
            "clean_before_timestamp": MOMENT,
            "confirm": False,
            "skip_archive": True,
            "error_on_cleanup_failure": True,
        }
    ]


def test_a_dry_run_only_counts(cleaned, monkeypatch):
    monkeypatch.setattr(history, "_older", lambda moment: 3 if moment == MOMENT else 0)
    assert history.clean(MOMENT.timestamp(), dry_run=True) == {"DAG runs": 3}
    assert cleaned == []


def test_nothing_goes_that_is_younger_than_a_run_that_is_not_over(cleaned, monkeypatch):
    waits_since = MOMENT - timedelta(days=200)
    monkeypatch.setattr(history, "_oldest_unfinished", lambda: [waits_since])
    history.clean(MOMENT.timestamp(), dry_run=False)
    assert cleaned[0]["clean_before_timestamp"] == waits_since
