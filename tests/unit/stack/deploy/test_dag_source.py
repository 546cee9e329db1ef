"""DAG files from git: what Airflow is told, and where the token goes."""

from __future__ import annotations

import json

import pytest

from airfoil.errors import SettingsError
from airfoil.stack.deploy import dag_source, env_file, override, shipped

pytestmark = pytest.mark.unit

EXAMPLE = env_file.spoken_values((shipped.folder("compose") / "env.example").read_text(encoding="utf-8"))
GIT = EXAMPLE | {"DAGS_GIT_URL": "https://git.example.com/team/flows.git", "DAGS_GIT_TOKEN": "glpat-not-real"}


def bundle(**changes):
    (text,) = dag_source.environment(GIT | changes).values()
    (found,) = json.loads(text)
    return found


def test_the_folder_needs_nothing():
    assert dag_source.environment(EXAMPLE) == {}
    assert dag_source.connection(EXAMPLE) == {}


def test_airflow_follows_a_branch_under_the_name_of_the_folder():
    found = bundle()
    assert found["name"] == "dags-folder"
    assert found["kwargs"] == {
        "tracking_ref": "main",
        "subdir": "dags",
        "git_conn_id": "dags_git",
        "refresh_interval": 60,
    }
    assert bundle(DAGS_GIT_FOLDER="/")["kwargs"]["subdir"] is None


def test_the_token_goes_into_the_connection_and_nowhere_else():
    assert "glpat" not in json.dumps(dag_source.environment(GIT))
    assert dag_source.connection(GIT) == {
        "dags_git": {
            "conn_type": "git",
            "host": "https://git.example.com/team/flows.git",
            "login": "oauth2",
            "password": "glpat-not-real",
        }
    }
    assert "password" not in dag_source.connection(GIT | {"DAGS_GIT_TOKEN": ""})["dags_git"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DAGS_GIT_URL": "git@git.example.com:team/flows.git"}, "begins with https"),
        ({"DAGS_GIT_URL": "https://bob:s3cret@git.example.com/x"}, "holds a login"),
        ({"DAGS_GIT_BRANCH": ""}, "DAGS_GIT_BRANCH"),
        ({"DAGS_GIT_FOLDER": "../.."}, "leads out"),
        ({"DAGS_GIT_SECONDS": "soon"}, "DAGS_GIT_SECONDS"),
        ({"DAGS_GIT_SECONDS": "1"}, "DAGS_GIT_SECONDS"),
    ],
)
def test_what_cannot_be_is_told_without_the_secret(changes, said):
    with pytest.raises(SettingsError, match=said) as error:
        dag_source.environment(GIT | changes)
    assert "s3cret" not in error.value.in_full


def test_those_who_read_dag_files_are_services_and_maintenance_is_none():
    assert set(dag_source.READERS) < set(override.AIRFLOW_SERVICES)
    assert "maintenance" not in dag_source.READERS
