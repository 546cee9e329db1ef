"""The engine: what is asked for, what is safe, what is known."""

from __future__ import annotations

import sys

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, StackSettings
from airfoil.stack import engine

pytestmark = pytest.mark.unit

TESTED = ["apache-airflow-core>=3.3.2,<3.4"]
OTHER = ["apache-airflow-core>=2.9,<3"]


def settings(asked="auto"):
    return Settings(stack=StackSettings(engine=asked))


@pytest.fixture(autouse=True)
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")


def test_a_tested_airflow_on_linux_shares_one_parent():
    found = engine.choose(settings(), TESTED)
    assert (found.engine, found.notice) == ("preloaded", "")


def test_an_untested_airflow_runs_unmodified_and_everybody_is_told():
    found = engine.choose(settings(), OTHER)
    assert found.engine == "plain"
    assert "is not one this release was tested with (<3,>=2.9)" in found.notice
    assert "run unmodified" in found.notice


def test_who_insists_gets_it_and_a_warning():
    assert engine.choose(settings("preloaded"), TESTED).notice == ""
    found = engine.choose(settings("preloaded"), OTHER)
    assert found.engine == "preloaded"
    assert "forces it" in found.notice


def test_plain_is_plain_without_a_word():
    assert engine.choose(settings("plain"), OTHER)[::2] == ("plain", "")


def test_where_forking_is_not_safe(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    found = engine.choose(settings(), TESTED)
    assert (found.engine, found.notice) == ("plain", "")
    assert "darwin" in found.reason


def test_without_an_airflow_of_ours():
    foreign = Settings(airflow=AirflowSettings(url="http://airflow.example:8080"))
    assert engine.choose(foreign, OTHER)[::2] == ("plain", "")


def test_the_bounds_come_from_the_installed_package():
    assert engine.choose(settings()).engine == "preloaded"
