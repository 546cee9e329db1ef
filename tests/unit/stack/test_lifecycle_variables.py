"""The variables of `ml_pipeline` begin with values that it can work with."""

from __future__ import annotations

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AlertSettings
from airfoil.stack.lifecycle_variables import lifecycle_variables, page_url_of
from airfoil.stack.project import Project
from airfoil.steps.lifecycle.settings import NAMES, read_settings

pytestmark = pytest.mark.unit


def test_the_first_values_are_settings_that_the_pipeline_takes():
    settings = Settings(alerts=AlertSettings(mail_to=("ana@example.com", "bo@example.com")))
    found = lifecycle_variables(settings, "http://127.0.0.1:8081")
    assert set(found) == set(NAMES)
    read = read_settings(found)
    assert read.crawl_url == "http://127.0.0.1:8081/samples/iris.csv"
    assert (read.ml_model_type, read.accuracy_threshold) == ("random_forest", 0.8)
    assert read.notification_email == ("ana@example.com", "bo@example.com")


def test_without_a_page_there_is_no_source_and_without_people_no_mail():
    found = lifecycle_variables(Settings(), "")
    assert "crawl_url" not in found
    assert found["notification_email"] == ""


def test_the_page_is_where_it_was_last(tmp_path):
    project = Project(tmp_path)
    project.prepare()
    assert page_url_of(Settings(), project) == "http://127.0.0.1:8081"
