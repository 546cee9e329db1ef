"""What `up` would start: complete, without a secret, and without a trace on the disk."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import AirflowSettings, MlflowSettings, StackSettings
from airfoil.stack import secrets
from airfoil.stack.explanation import explain, masked
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

LINUX = StackSettings(engine="preloaded")


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_of_a_new_project_nothing_is_written(project):
    found = explain(project, Settings(stack=LINUX))
    assert list(project.root.iterdir()) == []
    names = [row["name"] for row in found["processes"]]
    assert names[0] == "manager"
    assert {
        "setup",
        "preload",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "mlflow",
        "page",
    } < set(names)


def test_every_process_has_a_whole_command_and_how_it_starts(project):
    for row in explain(project, Settings(stack=LINUX))["processes"]:
        assert row["argv"][1] == "-m"
        assert row["how"]
    scheduler = next(
        row for row in explain(project, Settings(stack=LINUX))["processes"] if row["name"] == "scheduler"
    )
    assert "forked from the pre-loaded parent" in scheduler["how"]
    assert "-m airflow scheduler" in scheduler["how"]
    plain = explain(project, Settings(stack=StackSettings(engine="plain")))
    assert {row["how"].partition(",")[0] for row in plain["processes"][1:]} == {"started by itself"}
    assert 'engine = "plain"' in plain["engine"]["reason"]


def test_every_option_of_airflow_has_its_reason(project):
    found = explain(project, Settings(stack=LINUX))
    assert len(found["airflow"]) > 30
    assert all(row["reason"] for row in found["airflow"])
    variables = {f"AIRFLOW__{row['section'].upper()}__{row['key'].upper()}" for row in found["airflow"]}
    assert variables == {name for name in found["environment"] if name.startswith("AIRFLOW__")}


def test_no_secret_is_shown(project):
    project.prepare()
    keys = secrets.ensure(project)
    settings = Settings(
        stack=LINUX,
        airflow=AirflowSettings(database="postgresql://a:s3cret-1@db/a"),
        mlflow=MlflowSettings(database="postgresql://m:s3cret-2@db/m", auth=True),
    )
    text = json.dumps(explain(project, settings))
    for word in ("s3cret-1", "s3cret-2", *(getattr(keys, field.name) for field in fields(keys))):
        assert word not in text
    assert "postgresql://a:***@db/a" in text


def test_names_of_secrets_are_masked_and_names_of_places_are_not():
    found = masked(
        {"X_PASSWORD": "a", "X_PASSWORDS_FILE": "/p", "API_KEY": "k", "TEXT": "say hush", "EMPTY_TOKEN": ""},
        ["hush"],
    )
    assert found == {
        "API_KEY": "***",
        "EMPTY_TOKEN": "",
        "TEXT": "say ***",
        "X_PASSWORD": "***",
        "X_PASSWORDS_FILE": "/p",
    }


def test_a_server_that_is_not_ours_is_named_instead_of_started(project):
    found = explain(project, Settings(stack=LINUX, mlflow=MlflowSettings(url="http://mlflow.example:5000")))
    assert found["not_started"] == {"mlflow": "http://mlflow.example:5000"}
    assert "mlflow" not in {row["name"] for row in found["processes"]}
