"""Every option we set has a reason, a proper name and the value it should have."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from airfoil.settings import ProfileSettings, Settings
from airfoil.settings.airflow_options import OURS
from airfoil.settings.schema import AirflowSettings, AlertSettings, MlflowSettings
from airfoil.stack import airflow_environment
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets

pytestmark = pytest.mark.unit

WAKING = "airfoil.runtime.executor.WakingLocalExecutor"
PROJECT = Project(Path("/home/ä b/shop"))
SECRETS = Secrets(
    fernet_key="FERNET",
    jwt_secret="JWT",
    api_secret_key="API",
    admin_password="ADMIN",
    webhook_key="HOOK",
    webhook_secret="WEBHOOK-SECRET-12345",
    mlflow_admin_password="MLADMIN",
    mlflow_flask_secret="FLASK",
    metrics_token="METRICS",
)


def options(engine="preloaded", theirs=None, **airflow):
    settings = Settings(airflow=AirflowSettings(**airflow), airflow_options=theirs or {})
    return list(airflow_environment.options(settings, PROJECT, SECRETS, 8090, engine))


def values(engine="preloaded", theirs=None, **airflow):
    return {f"{one.section}.{one.key}": one.value for one in options(engine, theirs, **airflow)}


@pytest.mark.parametrize("engine", ["preloaded", "plain"])
def test_every_option_has_a_reason_and_is_set_once(engine):
    found = options(engine)
    assert all(len(one.reason) >= 8 for one in found)
    names = [one.variable for one in found]
    assert len(names) == len(set(names))


def test_the_variables_are_airflows():
    (folder, *_) = options()
    assert folder.variable == "AIRFLOW__CORE__DAGS_FOLDER"
    found = airflow_environment.environment(iter(options()))
    assert found["AIRFLOW__API__PORT"] == "8090"
    assert found["AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL"]
    assert all(name.startswith("AIRFLOW__") and name == name.upper() for name in found)
    assert all(isinstance(value, str) for value in found.values())


def test_every_address_follows_the_port():
    found = values()
    assert found["api.base_url"] == "http://127.0.0.1:8090"
    assert found["core.execution_api_server_url"] == "http://127.0.0.1:8090/execution/"
    assert found["api.host"] == "127.0.0.1"


def test_a_server_for_everybody_is_reached_on_loopback_by_its_own_parts():
    found = values(host="0.0.0.0")  # noqa: S104 - a value, not bound
    assert found["api.host"] == "0.0.0.0"  # noqa: S104
    assert found["core.execution_api_server_url"] == "http://127.0.0.1:8090/execution/"


def test_sqlite_in_the_project_unless_another_database_is_set():
    assert values()["database.sql_alchemy_conn"] == f"sqlite:///{PROJECT.airflow_database}"
    url = "postgresql://airflow:p%40ss@db:5432/airflow"
    assert values(database=url)["database.sql_alchemy_conn"] == url


def test_alerts_reach_the_provider_as_they_are_set():
    alerts = AlertSettings(mail_to=("ana@example.com", "bo@example.com"), most_an_hour=3)
    found = airflow_environment.options(Settings(alerts=alerts), PROJECT, SECRETS, 8090, "plain")
    told = {one.key: one.value for one in found if one.key.startswith("alert_")}
    assert told == {"alert_mail_to": "ana@example.com, bo@example.com", "alert_most_an_hour": "3"}


def test_everything_lies_in_the_project():
    found = values(dags=Path("my dags"), plugins=Path("/elsewhere/plugins"))
    assert found["core.dags_folder"] == "/home/ä b/shop/my dags"
    assert found["core.plugins_folder"] == "/elsewhere/plugins"
    assert found["logging.base_log_folder"] == str(PROJECT.task_logs)
    assert found["core.simple_auth_manager_passwords_file"] == str(PROJECT.passwords)


def test_the_secrets_are_ours():
    found = values()
    assert (found["core.fernet_key"], found["api_auth.jwt_secret"]) == ("FERNET", "JWT")
    assert found["api.secret_key"] == "API"
    assert "ADMIN" not in found.values(), "the password travels in its file"


def test_the_preloaded_engine_waits_in_its_executor_and_the_plain_one_is_airflows_own():
    ours = values("preloaded")
    assert ours["core.executor"] == f"LocalExecutor:{WAKING}"
    assert ours["scheduler.scheduler_idle_sleep_time"] == "0"
    assert ours["core.mp_start_method"] == "fork"
    plain = values("plain")
    assert plain["core.executor"] == "LocalExecutor"
    assert float(plain["scheduler.scheduler_idle_sleep_time"]) > 0, "nothing else makes that loop pause"
    assert "core.mp_start_method" not in plain


def test_the_heartbeat_rules_fit_each_other():
    found = values()
    beat = float(found.get("scheduler.job_heartbeat_sec", 5))
    assert float(found["scheduler.scheduler_health_check_threshold"]) > beat, (
        "healthy needs a beat within the limit"
    )
    assert found["core.parallelism"] == "4"
    assert values(parallelism=12)["core.parallelism"] == "12"


def test_nothing_is_reported_home_and_no_default_password_is_possible():
    found = values()
    assert found["usage_data_collection.enabled"] == "False"
    assert found["api.expose_config"] == "False"
    assert found["core.load_examples"] == "False"
    assert found["core.simple_auth_manager_users"] == "admin:admin", (
        "name and role; the password is generated"
    )
    assert "core.simple_auth_manager_all_admins" not in found


def test_the_users_option_wins_over_ours_and_others_are_added():
    theirs = {"core": {"test_connection": "Enabled", "max_active_runs_per_dag": "4"}, "celery": {"a": "1"}}
    found = options(theirs=theirs)
    ours = {f"{one.section}.{one.key}": one for one in found}
    assert len(found) == len(ours), "each once"
    assert (ours["core.test_connection"].value, ours["celery.a"].value) == ("Enabled", "1")
    assert ours["core.max_active_runs_per_dag"].reason == "set in airfoil.toml"
    assert len(found) == len(options()) + 2


def test_what_the_platform_decides_is_refused_before_it_comes_here():
    """Everything that depends on paths, ports, secrets or the engine stands in the list of refusals."""
    other = Settings(
        airflow=AirflowSettings(host="10.0.0.1", dags=Path("x"), plugins=Path("y"), parallelism=9)
    )
    secrets = Secrets(**{key.name: f"other {key.name}" for key in fields(Secrets)})
    project = Project(Path("/other"))
    before = values("plain")
    after = {
        f"{one.section}.{one.key}": one.value
        for one in airflow_environment.options(other, project, secrets, 9999, "plain")
    }
    differing = {name for name, value in before.items() if after[name] != value}
    assert differing
    assert differing - set(OURS) == {"airfoil.webhook_url"}, "empty, it turns webhooks off"
    assert set(OURS) - set(values()) == {
        *("core.auth_manager", "database.sql_alchemy_conn_async"),
        *("api.ssl_cert", "api.ssl_key"),
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("LocalExecutor", f"LocalExecutor:{WAKING}"),
        ("LocalExecutor,k8s:KubernetesExecutor", f"LocalExecutor:{WAKING},k8s:KubernetesExecutor"),
        ("here:LocalExecutor", f"here:{WAKING}"),
        (
            " CeleryExecutor , airflow.executors.local_executor.LocalExecutor",
            f"CeleryExecutor,LocalExecutor:{WAKING}",
        ),
        ("LocalExecutor;team1=LocalExecutor", f"LocalExecutor:{WAKING};team1=LocalExecutor"),
    ],
)
def test_our_executor_takes_the_place_of_airflows_under_the_same_name(given, expected):
    found = values(theirs={"core": {"executor": given}})
    assert found["core.executor"] == expected
    assert found["scheduler.scheduler_idle_sleep_time"] == "0"
    assert values("plain", {"core": {"executor": given}})["core.executor"] == given


def test_without_our_executor_the_scheduler_pauses_by_itself():
    found = values(theirs={"core": {"executor": "CeleryExecutor"}})
    assert found["core.executor"] == "CeleryExecutor"
    assert float(found["scheduler.scheduler_idle_sleep_time"]) > 0


def test_profiles_travel_as_json():
    settings = Settings(profiles={"big": ProfileSettings(gpu=1)})
    found = airflow_environment.environment(
        airflow_environment.options(settings, PROJECT, SECRETS, 8080, "plain")
    )
    assert found["AIRFLOW__AIRFOIL__PROFILES"] == '{"big": {"gpu": 1}}'
    assert found["AIRFLOW__AIRFOIL__GPU_POOL"] == "gpu"


def test_mlflow_tells_airflow_of_moved_models_and_signs():
    found = values()
    assert found["airfoil.webhook_url"] == "http://127.0.0.1:8090/airfoil/events"
    assert found["airfoil.webhook_secret"] == SECRETS.webhook_secret
    assert values(theirs={"airfoil": {"webhook_url": ""}})["airfoil.webhook_url"] == ""


@pytest.mark.parametrize(
    "settings",
    [
        Settings(mlflow=MlflowSettings(host="0.0.0.0")),  # noqa: S104 - a value, not bound
        Settings(mlflow=MlflowSettings(url="https://ml.example.com")),
        Settings(airflow=AirflowSettings(url="https://af.example.com")),
    ],
)
def test_webhooks_stay_off_where_others_could_make_mlflow_send(settings):
    assert not airflow_environment.webhooks_are_safe(settings)
    found = {option.key for option in airflow_environment.options(settings, PROJECT, SECRETS, 8090, "plain")}
    assert not {"webhook_url", "webhook_secret"} & found
