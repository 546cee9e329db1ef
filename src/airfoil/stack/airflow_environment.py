"""The translation of our settings into Airflow's own: every non-default option, its value and why it is so.

Airflow and the provider read only this (their own configuration), never airfoil.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airfoil.stack import profiles
from airfoil.stack.address import is_local, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.secrets import Secrets


_LOCAL = "LocalExecutor"
_PLAIN_LOCAL = "airflow.executors.local_executor.LocalExecutor"
_WAKING = "airfoil.runtime.executor.WakingLocalExecutor"
_ASSET_MANAGER = "airfoil.provider.asset_manager.RenewingAssetManager"
_THEIRS = "set in airfoil.toml"


class Option(NamedTuple):
    """One Airflow option and the reason we set it."""

    section: str
    key: str
    value: str
    reason: str

    @property
    def variable(self) -> str:
        """The environment variable Airflow reads it from."""
        return f"AIRFLOW__{self.section.upper()}__{self.key.upper()}"


def database_url(settings: Settings, project: Project) -> str:
    """The metadata database: the user's, or SQLite in the project."""
    return settings.airflow.database or f"sqlite:///{project.airflow_database}"


def options(
    settings: Settings, project: Project, secrets: Secrets, port: int, engine: str
) -> Iterator[Option]:
    """Every option that is set, in the order a reader would ask for them; the user's wins over ours of the same name.

    The settings have refused those that are not the user's to decide.
    """
    theirs = {
        (section, key): value
        for section, table in settings.airflow_options.items()
        for key, value in table.items()
    }
    executor = theirs.pop(("core", "executor"), "")
    for option in _ours(settings, project, secrets, port, engine, executor):
        value = theirs.pop((option.section, option.key), None)
        yield option if value is None else option._replace(value=value, reason=_THEIRS)
    for (section, key), value in theirs.items():
        yield Option(section, key, value, _THEIRS)


def _ours(
    settings: Settings, project: Project, secrets: Secrets, port: int, engine: str, executor: str
) -> Iterator[Option]:
    yield from _places(settings, project, secrets, port)
    yield from _pace(settings, engine, executor)
    yield from patience()
    yield from _calm()
    yield from _quiet()
    yield from _profiles(settings, project)


def _places(settings: Settings, project: Project, secrets: Secrets, port: int) -> Iterator[Option]:
    host = settings.airflow.host
    url = reachable(host, port)
    yield Option("core", "dags_folder", str(project.root / settings.airflow.dags), "the project's own folder")
    yield Option(
        "core", "plugins_folder", str(project.root / settings.airflow.plugins), "the project's own folder"
    )
    yield Option("core", "load_examples", "False", "only the project's DAGs")
    why = (
        "a DAG of one's own runs as it says; shipped DAGs that ask for more say in their file that they wait"
    )
    yield Option("core", "dags_are_paused_at_creation", "False", why)
    yield Option("core", "fernet_key", secrets.fernet_key, "generated once, stable over upgrades")
    yield Option("core", "simple_auth_manager_users", "admin:admin", "one generated administrator")
    yield Option("core", "simple_auth_manager_passwords_file", str(project.passwords), "generated, mode 0600")
    yield Option("core", "execution_api_server_url", f"{url}/execution/", "[api] port alone does not move it")
    yield Option("core", "hostname_callable", "socket.gethostname", "no DNS question at every start")
    yield Option("database", "sql_alchemy_conn", database_url(settings, project), "the project's database")
    yield Option("api", "host", host, "loopback until told otherwise")
    yield Option("api", "port", str(port), "from the table of services")
    yield Option("api", "base_url", url, "links that work")
    yield Option("api", "secret_key", secrets.api_secret_key, "generated once")
    yield Option("api_auth", "jwt_secret", secrets.jwt_secret, "all components must share it")
    yield Option("logging", "base_log_folder", str(project.task_logs), "task logs inside the project")
    why = "watched, so that DAGs which use the user's package are parsed again; kept out of long-lived processes"
    yield Option("airfoil", "source_folders", str(project.sources), why)
    yield Option("airfoil", "project", str(project.root), "where tasks of maintenance find it")
    why = "when platform_backup runs; empty: never by itself"
    yield Option("airfoil", "backup_schedule", settings.backup.schedule, why)
    yield Option("airfoil", "work_area", str(project.work), "data of runs inside the project")
    yield Option(
        "airfoil", "experiment", settings.mlflow.experiment, "of tasks that name none; empty: the DAG's own"
    )
    why = "who gets mail of runs that fail or are late; empty: nobody"
    yield Option("airfoil", "alert_mail_to", ", ".join(settings.alerts.mail_to), why)
    why = "what a DAG sends beyond them is counted, and told with its next alert"
    yield Option("airfoil", "alert_most_an_hour", str(settings.alerts.most_an_hour), why)
    yield Option("airfoil", "metrics_token", secrets.metrics_token, "generated once; for Prometheus")
    if webhooks_are_safe(settings):
        why = "MLflow tells Airflow of moved models at once"
        yield Option("airfoil", "webhook_url", f"{url}/airfoil/events", why)
        yield Option("airfoil", "webhook_secret", secrets.webhook_secret, "generated once")


def webhooks_are_safe(settings: Settings) -> bool:
    """Whether our MLflow may send to our Airflow: both are ours, and MLflow listens on this machine alone.

    MLflow must be told that it may send to private addresses. Whoever may add a webhook can then have it send to any
    service of this machine, which on this machine is nothing new, and beyond it would be.
    """
    return not settings.mlflow.url and not settings.airflow.url and is_local(settings.mlflow.host)


def _pace(settings: Settings, engine: str, executor: str) -> Iterator[Option]:
    reason = _THEIRS if executor else "tasks run on this machine"
    if engine == "preloaded":
        executor = _waking(executor or _LOCAL)
        yield Option("core", "mp_start_method", "fork", "workers share the memory of their pre-loaded parent")
    yield Option("core", "executor", executor or _LOCAL, reason)
    if _WAKING in executor:
        idle, why = "0", "the executor sleeps instead, and wakes when a task ends or the database changes"
    else:
        idle, why = "0.5", "hand tasks over sooner than after a second"
    yield Option("scheduler", "scheduler_idle_sleep_time", idle, why)
    why = "an asset's event is in the run that follows it, also while others wait"
    yield Option("core", "asset_manager_class", _ASSET_MANAGER, why)
    yield Option(
        "core", "parallelism", str(settings.airflow.parallelism), "a laptop, not the default of 32 workers"
    )
    yield Option("api", "workers", "1", "one process serves a laptop")
    yield Option("dag_processor", "parsing_processes", "1", "a laptop")
    pause = "5" if engine == "preloaded" else "2"
    why = "a new DAG file is seen soon where files cannot be watched (default 300 s)"
    yield Option("dag_processor", "refresh_interval", pause, why)
    yield Option("dag_processor", "bundle_refresh_check_interval", pause, why)
    often = "300" if engine == "preloaded" else "60"
    why = "unchanged files are parsed rarely: a changed one is told of where files are watched"
    yield Option("dag_processor", "min_file_process_interval", often, why)
    yield Option(
        "core", "min_serialized_dag_update_interval", "1", "an edited DAG runs as edited (default 30 s)"
    )
    yield Option("dag_processor", "print_stats_interval", "600", "the log is for news")


def patience() -> Iterator[Option]:
    """What lets a task outlive a restart of what it talks to; a server has the same."""
    yield Option(
        "workers", "execution_api_retries", "60", "tasks outlive a slow restart of the api-server (minutes)"
    )
    yield Option("workers", "execution_api_retry_wait_max", "5", "and notice soon that it is back")
    yield Option("workers", "max_failed_heartbeats", "24", "two minutes of patience, not fifteen seconds")
    yield Option(
        "scheduler", "task_instance_heartbeat_timeout", "120", "a task that died is seen after two minutes"
    )
    yield Option(
        "scheduler", "orphaned_tasks_check_interval", "15", "tasks of a dead scheduler are taken up soon"
    )
    why = "heartbeats are written one beat late (Airflow 3.3.2), later on a crowded machine; the dead lose their tasks"
    yield Option("scheduler", "scheduler_health_check_threshold", "30", why)


def _calm() -> Iterator[Option]:
    why = "a heartbeat every 10 s is soon enough on one machine, and each one is a write that wakes the scheduler"
    yield Option("scheduler", "scheduler_heartbeat_sec", "10", why)
    yield Option("scheduler", "job_heartbeat_sec", "10", why)
    yield Option("triggerer", "job_heartbeat_sec", "10", why)


def _waking(executors: str) -> str:
    """Put our LocalExecutor in the place of Airflow's, under the same name, so that tasks may ask for it by that.

    Executors of teams (after a semicolon) stay as they are.
    """
    shared, semicolon, of_teams = executors.partition(";")
    found = []
    for entry in shared.split(","):
        alias, _, name = entry.strip().rpartition(":")
        found.append(f"{alias or _LOCAL}:{_WAKING}" if name in {_LOCAL, _PLAIN_LOCAL} else entry.strip())
    return ",".join(found) + semicolon + of_teams


def _profiles(settings: Settings, project: Project) -> Iterator[Option]:
    tables = profiles.tables_json(settings, project)
    yield Option(
        "airfoil", "profiles", tables, "the tables [profiles.NAME] of airfoil.toml, for the provider"
    )
    yield Option(
        "airfoil", "gpu_pool", profiles.GPU_POOL, "tasks that ask for a GPU take turns on this machine"
    )


def _quiet() -> Iterator[Option]:
    yield Option("usage_data_collection", "enabled", "False", "no telemetry")
    yield Option("api", "expose_config", "False", "the configuration holds secrets")
    yield Option("core", "test_connection", "Disabled", "Airflow's own safe default, stated")


def environment(found: Iterator[Option]) -> dict[str, str]:
    """The options as environment variables."""
    return {option.variable: option.value for option in found}
