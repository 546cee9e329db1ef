"""The table of services: what must hold for every row, with every setting."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from airfoil.settings import Settings
from airfoil.settings.schema import (
    AirflowSettings,
    BudgetSettings,
    FeastSettings,
    MlflowSettings,
    PageSettings,
    ProjectSettings,
    StackSettings,
)
from airfoil.stack import plan, services
from airfoil.stack.process import STACK_MARK
from airfoil.stack.project import Project
from airfoil.stack.secrets import Secrets
from airfoil.stack.servers import Server
from airfoil.stack.service import Service, Spec

pytestmark = pytest.mark.unit

SECRETS = Secrets(
    fernet_key="FERNET-KEY-1234567890",
    jwt_secret="JWT-SECRET-1234567890",
    api_secret_key="API-SECRET-1234567890",
    admin_password="ADMIN-PASSWORD-1234567",
    webhook_key="WEBHOOK-KEY-1234567890",
    webhook_secret="WEBHOOK-SECRET-12345",
    mlflow_admin_password="MLFLOW-PASSWORD-12345",
    mlflow_flask_secret="FLASK-SECRET-12345678",
    metrics_token="METRICS-TOKEN-1234567890",
)
PORTS = {"airflow": 18080, "mlflow": 15000, "page": 18081, "feast": 16566}
PROJECT = Project(Path("/home/ä b/shop"))
ORDER = ["setup", "preload", "api-server", "scheduler", "dag-processor", "triggerer", "mlflow", "page"]


def settings(engine="preloaded", **sections):
    return Settings(stack=StackSettings(engine=engine), **sections)


def spec(engine="preloaded", ports=None, **sections) -> Spec:
    return services.specification(settings(engine, **sections), PROJECT, SECRETS, ports or PORTS)


@pytest.fixture(params=["preloaded", "plain", "with auth", "on servers", "with features"])
def table(request) -> Spec:
    """The table in each of its forms."""
    if request.param == "with auth":
        return spec(mlflow=MlflowSettings(auth=True))
    if request.param == "with features":
        return spec(feast=FeastSettings(server=True))
    if request.param == "on servers":
        return spec(
            airflow=AirflowSettings(database="postgresql://airflow:DATABASE-PASSWORD@db/airflow"),
            mlflow=MlflowSettings(
                database="postgresql://mlflow:DATABASE-PASSWORD@db/mlflow", artifacts="s3://bucket/x"
            ),
        )
    return spec(request.param)


# -- what holds for every row


def test_names_ports_and_logs_are_unique_and_every_service_is_there(table):
    names = [row.name for row in table.services]
    asked_for = {"preload": table.engine == "preloaded", "feature-server": "feature-server" in names}
    assert sorted(names) == sorted(name for name in (*ORDER, "feature-server") if asked_for.get(name, True))
    for values in (names, [row.log for row in table.services], [row.title for row in table.services]):
        assert len(set(values)) == len(values)
    ports = [row.port for row in table.services if row.port]
    served = [name for name in PORTS if name != "feast" or asked_for["feature-server"]]
    assert sorted(ports) == sorted(PORTS[name] for name in served)


def test_needs_and_uses_exist_and_give_an_order(table):
    names = {row.name for row in table.services}
    for row in table.services:
        assert {*row.needs, *row.uses} <= names - {row.name}
    starting = plan.waves({row.name: row.needs for row in table.services})
    stopping = plan.stop_order({row.name: (*row.needs, *row.uses) for row in table.services})
    assert "setup" in starting[0] or "setup" in starting[1]
    flat = [name for wave in stopping for name in wave]
    assert flat.index("scheduler") < flat.index("api-server"), "tasks need the api-server to the end"
    assert flat.index("scheduler") < flat.index("mlflow")


def test_no_secret_is_in_any_argument_or_title(table):
    secrets = (*vars(SECRETS).values(), "DATABASE-PASSWORD")
    for row in table.services:
        said = " ".join(
            [row.title, row.url, row.log, row.version, *row.argv, *row.fallback_argv, row.probe.url]
        )
        assert not [secret for secret in secrets if secret in said], row.name


def test_everything_listens_on_loopback(table):
    for row in table.services:
        for argv in (row.argv, row.fallback_argv):
            hosts = [argv[place + 1] for place, word in enumerate(argv) if word == "--host"]
            assert hosts == ["127.0.0.1"] * len(hosts), row.name
            assert bool(hosts) == bool(row.port and argv), row.name
        if row.probe.url:
            assert urlsplit(row.probe.url).hostname == "127.0.0.1"


def test_a_probe_asks_the_service_itself_and_believes_no_open_port(table):
    for row in table.services:
        if row.port:
            assert row.probe.kind == "http"
            assert row.probe.url.startswith(f"{row.url}/")
        if row.probe.kind == "heartbeat":
            assert row.probe.component == row.name.replace("-", "_")
        assert row.probe.kind != "exit" or row.kind == "job"


def test_every_command_is_this_python_and_a_module(table):
    for row in table.services:
        for argv in filter(None, (row.argv, row.fallback_argv)):
            assert argv[:2] == (sys.executable, "-m"), row.name


def test_what_is_forked_names_its_layer_its_module_and_a_plain_command(table):
    for row in table.services:
        if table.engine == "plain":
            assert row.stage == ""
            continue
        assert row.stage in {"", *table.preload}
        if row.stage:
            assert row.argv[2] == row.module, "forked or started alone, the same module runs"
            assert row.fallback_argv or row.kind == "job"
            assert row.fallback_argv[2:3] != (row.module,)


def test_budgets_and_patience_come_from_the_settings(table):
    budgets = BudgetSettings().services
    for row in table.services:
        assert row.memory_budget_mib == budgets[row.name]
        assert row.start_timeout_seconds == 120.0
        assert 0 < row.stop_timeout_seconds <= 30.0
        assert row.log == str(PROJECT.service_log(row.name))
    is_serving = any(row.name == "feature-server" for row in table.services)
    assert table.budgets == {"memory_mib": 1200 + 320 * is_serving, "start_seconds": 60}


def test_a_shorter_patience_at_the_end_binds_every_service():
    short = services.specification(
        Settings(stack=StackSettings(stop_timeout_seconds=2, start_timeout_seconds=7)),
        PROJECT,
        SECRETS,
        PORTS,
    )
    assert {row.stop_timeout_seconds for row in short.services} == {2.0}
    assert {row.start_timeout_seconds for row in short.services} == {7.0}


def test_the_table_survives_json(table):
    again = Spec.from_json(table.to_json())
    assert again == table
    assert again.digest() == table.digest()
    assert list(again.preload) == list(table.preload)
    assert [Service.from_dict(json.loads(json.dumps(row.to_dict()))) for row in table.services] == [
        *table.services
    ]


# -- what all processes share


def test_every_process_carries_the_mark_and_keeps_it(table):
    assert table.environment[STACK_MARK] == table.stack_id == services.stack_id(PROJECT)
    assert table.environment["SPT_NOENV"] == "1", "a process title must not overwrite the mark"
    assert table.environment["AIRFLOW_HOME"] == str(PROJECT.airflow_home)
    assert all(isinstance(value, str) for value in table.environment.values())
    for row in table.services:
        assert all(isinstance(value, str) for value in row.env.values())


def test_the_users_package_can_be_imported_everywhere_and_is_watched(table):
    assert table.environment["PYTHONPATH"] == str(PROJECT.root / "src")
    assert table.environment["AIRFLOW__AIRFOIL__SOURCE_FOLDERS"] == str(PROJECT.root / "src")


def test_tasks_reach_mlflow_with_what_they_need():
    plain = spec().environment
    assert plain["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:15000"
    assert plain["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert "MLFLOW_TRACKING_PASSWORD" not in plain
    login = spec(mlflow=MlflowSettings(auth=True)).environment
    assert (login["MLFLOW_TRACKING_USERNAME"], login["MLFLOW_TRACKING_PASSWORD"]) == (
        "admin",
        SECRETS.mlflow_admin_password,
    )


def test_mlflow_is_told_its_stores_and_whom_to_refuse():
    row = spec().service("mlflow")
    assert row.env["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{PROJECT.mlflow_database}"
    assert row.env["MLFLOW_ARTIFACTS_DESTINATION"] == str(PROJECT.artifacts)
    hosts = row.env["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert {"localhost", "127.0.0.1", "localhost:*", "127.0.0.1:*"} == set(hosts)
    assert "*" not in hosts
    assert row.env["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "http://localhost:15000,http://127.0.0.1:15000"
    assert row.env["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert "--auth" not in row.argv
    assert "basic-auth" not in row.fallback_argv


def test_mlflow_may_send_to_this_machine_while_nobody_else_reaches_it():
    alone = spec().service("mlflow").env
    assert alone["MLFLOW_WEBHOOK_ALLOWED_SCHEMES"] == "http,https"
    assert alone["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"] == "true"
    opened = spec(mlflow=MlflowSettings(host="0.0.0.0", auth=True)).service("mlflow").env  # noqa: S104 - not bound
    assert not [name for name in opened if name.startswith("MLFLOW_WEBHOOK_ALLOW")]


def test_mlflow_on_servers_of_the_user():
    given = MlflowSettings(database="postgresql://m:p@db/mlflow", artifacts="s3://bucket/x", auth=True)
    row = spec(mlflow=given).service("mlflow")
    assert row.env["MLFLOW_BACKEND_STORE_URI"] == row.env["MLFLOW_REGISTRY_STORE_URI"] == given.database
    assert row.env["MLFLOW_ARTIFACTS_DESTINATION"] == "s3://bucket/x"
    assert row.env["MLFLOW_AUTH_ADMIN_PASSWORD"] == SECRETS.mlflow_admin_password
    assert row.argv[-1] == "--auth"
    assert row.fallback_argv[-2:] == ("--app-name", "basic-auth")


def test_the_plain_engine_starts_nothing_of_ours_but_setup_and_page_and_what_becomes_mlflow():
    plain = spec("plain")
    ours = {row.name for row in plain.services if row.argv[2].startswith("airfoil.")}
    assert ours == {"setup", "page", "mlflow"}
    assert plain.preload == {}


def test_modules_of_the_user_are_loaded_after_ours():
    given = Settings(stack=StackSettings(engine="preloaded", preload=("torch", "lightgbm")))
    layers = services.specification(given, PROJECT, SECRETS, PORTS).preload
    *before, last = layers
    assert before[0] == "airflow", (
        "components are forked before the ML libraries are loaded: they need none of them"
    )
    assert layers[last][-2:] == ("torch", "lightgbm")
    assert not [name for name in before if {"torch", "lightgbm"} & set(layers[name])]


def test_features_are_served_only_where_that_is_asked_for():
    assert "feature-server" not in {row.name for row in spec().services}
    row = spec(feast=FeastSettings(server=True, repo=Path("other"))).service("feature-server")
    assert row.argv[2:] == (
        *("airfoil.runtime.feature_server", "--repository", str(PROJECT.root / "other")),
        *("--host", "127.0.0.1", "--port", "16566"),
    )
    assert row.probe.url == "http://127.0.0.1:16566/health"
    assert (row.stage, row.needs) == ("", ()), "it lives by itself: a registry is all it needs"


# -- what changes with what


@pytest.mark.parametrize(
    "changed",
    [
        *({"airflow": AirflowSettings(parallelism=5)}, {"airflow": AirflowSettings(dags=Path("other"))}),
        *({"airflow": AirflowSettings(host="0.0.0.0")}, {"airflow": AirflowSettings(plugins=Path("other"))}),  # noqa: S104
        {"airflow": AirflowSettings(database="postgresql://a@b/c")},
        *({"mlflow": MlflowSettings(auth=True)}, {"mlflow": MlflowSettings(artifacts="s3://bucket/b")}),
        *({"mlflow": MlflowSettings(database="postgresql://a@b/c")}, {"mlflow": MlflowSettings(host="::1")}),
        *({"page": PageSettings(host="localhost")}, {"budgets": BudgetSettings(memory_mib=1)}),
        *({"budgets": BudgetSettings(start_seconds=1)}, {"budgets": BudgetSettings(mlflow_mib=1)}),
        *({"project": ProjectSettings(name="shop")}, {"feast": FeastSettings(repo=Path("other"))}),
        *({"engine": "plain"}, {"ports": PORTS | {"page": 1}}, {"ports": PORTS | {"mlflow": 1}}),
    ],
    ids=str,
)
def test_a_running_stack_is_not_taken_for_one_with_other_settings(changed):
    assert spec(**changed).digest() != spec().digest()


@pytest.mark.parametrize(
    "stack",
    [
        *({"preload": ("a",)}, {"log_max_mib": 1}, {"log_backups": 1}),
        *({"start_timeout_seconds": 1}, {"stop_timeout_seconds": 1}),
    ],
    ids=str,
)
def test_nor_with_other_settings_of_the_stack_itself(stack):
    given = Settings(stack=StackSettings(engine="preloaded", **stack))
    assert services.specification(given, PROJECT, SECRETS, PORTS).digest() != spec().digest()


def test_the_same_settings_give_the_same_table():
    assert spec().digest() == spec().digest()


def test_a_stack_is_named_by_where_it_lies(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("a")
    names = {name: services.stack_id(Project(tmp_path / name)) for name in ("a", "b", "link")}
    assert names["a"] != names["b"]
    assert names["a"] == names["link"], "one folder is one stack, by whatever path"
    assert all(len(name) == 16 for name in names.values())


@pytest.mark.parametrize(("platform", "engine"), [("linux", "preloaded"), ("darwin", "plain")])
def test_forking_is_for_linux_unless_asked_for(platform, engine, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    assert services.chosen_engine(Settings()) == engine
    assert services.chosen_engine(settings("plain")) == "plain"
    assert services.chosen_engine(settings("preloaded")) == "preloaded"


def test_building_the_table_touches_nothing():
    spec()
    assert not os.path.lexists(PROJECT.root)


# -- servers that existed before

FOREIGN_AIRFLOW = Server("airflow", "http://airflow:8080", "ann", "FOREIGN-PASSWORD-A")
FOREIGN_MLFLOW = Server("mlflow", "https://ml.example.com", "bob", "FOREIGN-PASSWORD-M")


def beside(*foreign: Server, engine="preloaded", **sections) -> Spec:
    """The table beside servers that exist."""
    named = {server.name: server for server in foreign}
    ports = {name: port for name, port in PORTS.items() if name not in named}
    return services.specification(settings(engine, **sections), PROJECT, SECRETS, ports, named)


def test_a_foreign_mlflow_takes_the_place_of_ours_alone():
    found = beside(FOREIGN_MLFLOW)
    assert {row.name for row in found.services} == set(ORDER) - {"mlflow"}
    assert found.foreign == {"mlflow": "https://ml.example.com"}
    assert found.environment["MLFLOW_TRACKING_URI"] == "https://ml.example.com"
    assert found.service("scheduler").uses == ("api-server",)
    assert not [name for name in found.preload["mlflow"] if "server" in name], "only tasks need mlflow"
    plan.waves({row.name: (*row.needs, *row.uses) for row in found.services})


def test_a_foreign_airflow_leaves_mlflow_and_the_page():
    found = beside(FOREIGN_AIRFLOW)
    assert {row.name for row in found.services} == {"mlflow", "page"}
    assert found.preload == {}
    row = found.service("mlflow")
    assert (row.needs, row.stage) == ((), "")
    assert row.argv[2] == "airfoil.runtime.mlflow_server", "one process, not a parent and a worker"
    assert "--applied" in row.argv
    assert (
        beside(FOREIGN_AIRFLOW, engine="plain").service("mlflow").argv[2] == "airfoil.runtime.mlflow_database"
    )
    assert not [name for name in found.environment if name.startswith("AIRFLOW")]


def test_a_lone_mlflow_is_not_measured_by_the_budget_of_one_that_shares_memory():
    assert beside(FOREIGN_AIRFLOW).service("mlflow").memory_budget_mib == 0
    given = Settings(budgets=BudgetSettings(mlflow_mib=99), given=frozenset({"budgets.mlflow_mib"}))
    ports = {"mlflow": 15000, "page": 18081}
    found = services.specification(given, PROJECT, SECRETS, ports, {"airflow": FOREIGN_AIRFLOW})
    assert found.service("mlflow").memory_budget_mib == 99


def test_with_both_foreign_only_the_page_runs():
    found = beside(FOREIGN_AIRFLOW, FOREIGN_MLFLOW)
    assert [row.name for row in found.services] == ["page"]


def test_a_password_elsewhere_is_in_no_argument_and_in_no_state():
    found = beside(FOREIGN_AIRFLOW, FOREIGN_MLFLOW)
    assert "FOREIGN-PASSWORD" not in " ".join(word for row in found.services for word in row.argv)
    assert "FOREIGN-PASSWORD" not in json.dumps(dict(found.foreign))
    assert "FOREIGN-PASSWORD-A" not in found.to_json(), "the page reads it from its own file"


def test_a_new_password_is_a_new_table_so_that_up_applies_it():
    changed = dataclasses.replace(FOREIGN_MLFLOW, password="other")
    assert beside(changed).digest() != beside(FOREIGN_MLFLOW).digest()
