"""What a project changes in its server: settings, folders, builds; and what airflow-init is told."""

from __future__ import annotations

import json

import pytest
import yaml

from airfoil.settings import load
from airfoil.stack.deploy import override
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

GIVEN = {
    "JOIN_NETWORK": "",
    "POSTGRES_URL": "",
    "REDIS_URL": "",
    "S3_URL": "",
    "MLFLOW_TRACKING_URI": "http://mlflow:5000/mlflow",
    "MLFLOW_AIRFLOW_USERNAME": "airflow",
    "AIRFOIL_URL": "https://ml.example.com",
    "AIRFOIL_MLFLOW_URL": "https://ml.example.com",
    "COMPOSE_PROFILES": "postgres,mlflow,status",
    "PRIVATE_DOMAIN": "",
    "AIRFOIL_TAG": "1.2.3",
}
SECRETS = {"MLFLOW_AIRFLOW_PASSWORD": "k7-secret"}
BUILD = override.Build("../..", "deploy/compose", "airfoil==1.2.3")


def shop(root, toml=""):
    (root / "airfoil.toml").write_text(f'[project]\nname = "shop"\n{toml}', encoding="utf-8")
    return load(root, {}), Project(root)


def services(root, toml="", build=BUILD, **given):
    settings, project = shop(root, toml)
    return yaml.safe_load(override.override(settings, project, build, GIVEN | given))


def test_folders_of_the_project_are_mounted_by_their_own_names(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    found = services(tmp_path, f'[airflow]\ndags = "flows"\nplugins = "{tmp_path.parent}/plug"\n')["services"]
    assert found["airflow-worker"]["volumes"] == [
        "${AIRFLOW_PROJ_DIR:-../..}/flows:/opt/airfoil/project/dags:ro",
        f"{tmp_path.parent}/plug:/opt/airfoil/project/plugins:ro",
        "${AIRFLOW_PROJ_DIR:-../..}/features:/opt/airfoil/project/features:ro",
        "./feature_store.yaml:/opt/airfoil/project/features/feature_store.yaml:ro",
    ]
    assert found["feature-server"]["volumes"] == found["airflow-worker"]["volumes"][2:]
    assert "volumes" not in found["airflow-init"]


def test_without_features_none_are_mounted(tmp_path):
    build = override.Build("../..", "deploy/compose", "", has_features=False)
    found = services(tmp_path, build=build)["services"]
    assert [one for one in found["airflow-scheduler"]["volumes"] if "features" in one] == []
    assert found["feature-server"]["volumes"] == []


def test_options_of_airflow_are_passed_on_but_for_those_a_server_decides(tmp_path):
    found = services(
        tmp_path,
        '[airflow.core]\nexecutor = "LocalExecutor"\nmax_active_runs_per_dag = 3\n[airflow.smtp]\nsmtp_host = "a$b"\n',
    )["services"]["airflow-scheduler"]["environment"]
    assert found["AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG"] == "3"
    assert found["AIRFLOW__SMTP__SMTP_HOST"] == "a$$b"
    assert "AIRFLOW__CORE__EXECUTOR" not in found


def test_profiles_and_alerts_reach_the_provider(tmp_path):
    found = services(
        tmp_path,
        '[profiles.training]\nqueue = "ml"\n[alerts]\nmail_to = ["a@example.com", "b@example.com"]\n',
    )["services"]["airflow-worker"]["environment"]
    assert json.loads(found["AIRFLOW__AIRFOIL__PROFILES"]) == {"training": {"queue": "ml"}}
    assert found["AIRFLOW__AIRFOIL__ALERT_MAIL_TO"] == "a@example.com, b@example.com"


def test_images_are_built_out_of_the_project(tmp_path):
    found = services(tmp_path)["services"]
    for name in override.BUILT:
        assert found[name]["build"] == {
            "context": "../..",
            "dockerfile": "deploy/compose/Dockerfile",
            "args": {"DEPLOY_FOLDER": "deploy/compose", "AIRFOIL_REQUIREMENT": "airfoil==1.2.3"},
        }


def test_a_network_that_exists_is_joined(tmp_path):
    assert "networks" not in services(tmp_path)
    found = services(tmp_path, JOIN_NETWORK="company")
    assert found["networks"] == {"joined": {"name": "company", "external": True}}
    assert joined(found) == set(override.AIRFLOW_SERVICES)
    assert found["services"]["airflow-worker"]["networks"] == ["private", "joined"]


@pytest.mark.parametrize(
    ("variable", "more"),
    [
        ("POSTGRES_URL", {"postgres-init", "mlflow", "feature-server", "postgres-exporter"}),
        ("REDIS_URL", {"feature-server", "flower", "redis-exporter"}),
        ("S3_URL", {"s3-init", "mlflow", "feature-server"}),
    ],
)
def test_beside_airflow_those_alone_join_that_need_a_server_of_others(tmp_path, variable, more):
    found = services(tmp_path, JOIN_NETWORK="company", **{variable: "x://theirs"})
    assert joined(found) == {*override.AIRFLOW_SERVICES, *more}


def joined(found):
    return {name for name, service in found["services"].items() if "networks" in service}


def test_in_a_network_of_others_connections_lead_to_ours(tmp_path):
    given = GIVEN | {
        "MLFLOW_TRACKING_URI": "http://mlflow.shop-private:5000/mlflow",
        "PRIVATE_DOMAIN": ".shop-private",
    }
    found = json.loads(override.setup(shop(tmp_path)[0], given, SECRETS))
    assert found["connections"]["mlflow_default"]["extra"] == {"browser_url": "https://ml.example.com/mlflow"}
    assert found["variables"]["crawl_url"].startswith("http://status.shop-private:8081/")


def test_connections_lead_to_the_neighbours_in_the_private_network(tmp_path):
    found = json.loads(override.setup(shop(tmp_path, "[pools]\napi = 3\n")[0], GIVEN, SECRETS))
    mlflow = found["connections"]["mlflow_default"]
    assert (mlflow["host"], mlflow["port"]) == ("http://mlflow:5000/mlflow", None)
    assert (mlflow["login"], mlflow["password"]) == ("airflow", "k7-secret")
    assert mlflow["extra"] == {"browser_url": "https://ml.example.com/mlflow"}
    assert found["connections"]["feast_default"]["host"] == "/opt/airfoil/project/features"
    assert found["variables"]["airfoil_project"] == "shop"
    assert found["variables"]["crawl_url"] == "http://status:8081/status/samples/iris.csv"
    assert found["pools"]["api"]["slots"] == 3


def test_an_mlflow_that_exists_is_its_own_page(tmp_path):
    given = GIVEN | {"MLFLOW_TRACKING_URI": "https://mlflow.example.com", "COMPOSE_PROFILES": "postgres"}
    found = json.loads(override.setup(shop(tmp_path)[0], given, SECRETS))
    assert "extra" not in found["connections"]["mlflow_default"]
    assert "crawl_url" not in found["variables"]


def test_alerts_go_where_the_settings_say(tmp_path):
    settings, _ = shop(
        tmp_path,
        '[alerts]\nmail_to = ["a@example.com"]\nmail_from = "ml@example.com"\nsmtp = "smtps://anne@mail.example.com"\n',
    )
    assert override.alerts(settings) == {
        "ALERT_MAIL_TO": "a@example.com",
        "ALERT_MAIL_FROM": "ml@example.com",
        "ALERT_SMTP_HOST": "mail.example.com:465",
        "ALERT_SMTP_USER": "anne",
        "ALERT_SMTP_TLS": "true",
    }
    assert override.alerts(shop(tmp_path)[0]) == {}


def test_dag_files_from_git_reach_every_reader_and_the_image_gets_git(tmp_path):
    given = {
        "DAGS_GIT_URL": "https://git.example.com/flows.git",
        "DAGS_GIT_BRANCH": "main",
        "DAGS_GIT_FOLDER": "dags",
        "DAGS_GIT_SECONDS": "30",
        "DAGS_GIT_USER": "oauth2",
        "DAGS_GIT_TOKEN": "t0ken-not-real",
    }
    found = services(tmp_path, **given)["services"]
    name = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
    assert {one for one, what in found.items() if name in what.get("environment", {})} == {
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-worker",
    }
    assert found["airflow-init"]["build"]["args"]["APT_PACKAGES"] == "git ${APT_PACKAGES:-}"
    settings, project = shop(tmp_path)
    assert "t0ken" not in override.override(settings, project, BUILD, GIVEN | given)
    told = json.loads(override.setup(settings, GIVEN | given, SECRETS))["connections"]
    assert told["dags_git"]["password"] == "t0ken-not-real"
    assert "dags_git" not in json.loads(override.setup(settings, GIVEN, SECRETS))["connections"]


def test_only_images_that_name_their_registry_are_fetched(tmp_path):
    found = services(tmp_path, AIRFLOW_IMAGE="registry.example.com/ml/airflow:1", MLFLOW_IMAGE="ml/mlflow:1")
    fetched = {name for name, one in found["services"].items() if one.get("pull_policy") == "missing"}
    assert fetched == {*override.AIRFLOW_SERVICES, "s3-init", "flower"}
    assert [one for one in services(tmp_path)["services"].values() if "pull_policy" in one] == []


def test_folders_of_other_names_are_arguments_of_the_build(tmp_path):
    build = override.Build("../..", "deploy/compose", "", folders={"DAGS_FOLDER": "a$b"})
    for name in override.BUILT:
        assert services(tmp_path, build=build)["services"][name]["build"]["args"]["DAGS_FOLDER"] == "a$$b"
