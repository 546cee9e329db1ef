"""The one table of services: what runs, how it is started, what it needs, how its readiness is proven, what it may use.

Everything that runs the platform reads this table. Building it starts nothing.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Literal

from airfoil.stack import connections, profiles, work_environment
from airfoil.stack import engine as engines
from airfoil.stack.address import reachable
from airfoil.stack.airflow_environment import webhooks_are_safe
from airfoil.stack.mlflow_login import login_file
from airfoil.stack.process import STACK_MARK
from airfoil.stack.secrets import MLFLOW_ADMIN
from airfoil.stack.service import PATH_VARIABLE, Probe, Service, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.secrets import Secrets
    from airfoil.stack.servers import Server, ServerName

AIRFLOW_LAYER = "airflow"
MLFLOW_LAYER = "mlflow"
TASK_LAYER = "tasks"
_HEALTH = "/api/v2/monitor/health"

# What the pre-loaded parent imports for every Airflow component. A name that does not exist in the installed release
# is skipped with a note: it only means a slower start.
AIRFLOW_MODULES = (
    "airflow.__main__",
    "airflow.cli.commands.api_server_command",
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.cli.commands.triggerer_command",
    "airflow.api_fastapi.app",
    "airflow.api_fastapi.core_api.app",
    "airflow.api_fastapi.execution_api.app",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.executors.local_executor",
    "airflow.dag_processing.processor",
    "airflow.serialization.serialized_objects",
    "alembic.command",
    "airflow.migrations.utils",
    "airflow.utils.serve_logs",
    "airflow.models.dag_favorite",
    "airflow.models.task_state_store",
    "airflow.callbacks.database_callback_sink",
    "airflow.sdk._shared.logging.factory",
    "airflow.sdk._shared.logging.remote",
    "airflow.sdk.definitions.connection",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.api_fastapi.execution_api.versions",
    "airflow.serialization.definitions.mappedoperator",
    "airflow.providers.standard.operators.bash",
    "airflow.providers.standard.operators.python",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.loops.uvloop",
)
# For the MLflow server, and for tasks: their `import mlflow` is then free.
MLFLOW_MODULES = (
    "numpy",
    "pandas",
    "mlflow",
    "mlflow.server",
    "mlflow.server.handlers",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
)
# What of these only the server needs.
MLFLOW_SERVER_MODULES = tuple(
    name for name in MLFLOW_MODULES if name.startswith(("mlflow.server", "mlflow.store"))
)
# For tasks alone; the scheduler, from which they descend, is forked after these. Together 4 s that no task waits for.
TASK_MODULES = (
    "sklearn.ensemble",
    "mlflow.sklearn",
    "mlflow.pyfunc",
    "matplotlib.backends.backend_agg",
    "airfoil.runtime.skops_home",
)


def stack_id(project: Project) -> str:
    """Names this project's stack on this machine: two copies of a folder are two stacks."""
    return hashlib.sha256(str(project.root.resolve()).encode()).hexdigest()[:16]


def chosen_engine(settings: Settings) -> Literal["preloaded", "plain"]:
    """Fork from one parent where that is safe and known; start by exec elsewhere, or when asked to."""
    return engines.choose(settings).engine


def specification(
    settings: Settings,
    project: Project,
    secrets: Secrets,
    ports: Mapping[str, int],
    foreign: Mapping[ServerName, Server] | None = None,
) -> Spec:
    """The whole table for this project, ready for the manager; no row for a server that is foreign."""
    foreign = foreign or {}
    # Without Airflow there are no tasks, and one MLflow alone has nobody to share its memory with.
    engine = "plain" if "airflow" in foreign else chosen_engine(settings)
    shared = {
        STACK_MARK: stack_id(project),
        **work_environment.environment(settings, project, secrets, ports, foreign, engine),
        PATH_VARIABLE: str(project.sources),
        "PYTHONUNBUFFERED": "1",
        # Process titles must not overwrite the environment in /proc: our mark is read there.
        "SPT_NOENV": "1",
        # Many threads, small heaps: two allocation arenas are enough and keep memory from scattering.
        "MALLOC_ARENA_MAX": "2",
    }
    rows: list[Service] = []
    if "airflow" not in foreign:
        airflow_url = reachable(settings.airflow.host, ports["airflow"])
        rows += [_setup(settings, project, engine), *([_preload()] if engine == "preloaded" else [])]
        rows += _airflow(settings, airflow_url, ports["airflow"], engine)
    if "mlflow" not in foreign:
        mlflow = _mlflow(settings, project, secrets, ports["mlflow"], engine)
        rows.append(mlflow if "airflow" not in foreign else _alone(mlflow, settings))
    if "airflow" not in foreign:
        rows.append(_scheduler(airflow_url, engine, uses_mlflow="mlflow" not in foreign))
    rows.append(_page(settings, project, ports["page"]))
    if settings.feast.server:
        rows.append(_feature_server(settings, project, ports["feast"]))
    budgets = settings.budgets.services
    if "airflow" in foreign and not settings.user_set("budgets.mlflow_mib"):
        del budgets["mlflow"]  # it is meant for one that shares its memory
    kept = MLFLOW_SERVER_MODULES if "mlflow" in foreign else ()
    layers = {
        AIRFLOW_LAYER: AIRFLOW_MODULES,
        MLFLOW_LAYER: tuple(name for name in MLFLOW_MODULES if name not in kept),
        TASK_LAYER: (*TASK_MODULES, *settings.stack.preload),
    }
    return Spec(
        project=str(project.root),
        stack_id=shared[STACK_MARK],
        engine=engine,
        environment=shared,
        services=tuple(_finish(row, settings, project, budgets.get(row.name, 0)) for row in rows),
        preload=layers if engine == "preloaded" else {},
        budgets={"memory_mib": _memory_mib(settings), "start_seconds": settings.budgets.start_seconds},
        notices=tuple(filter(None, [engines.choose(settings).notice])),
        foreign={name: server.url for name, server in foreign.items()},
        settings=settings.digest(),
        log_max_bytes=int(settings.stack.log_max_mib * 1024 * 1024),
        log_backups=settings.stack.log_backups,
    )


def _memory_mib(settings: Settings) -> int:
    """What all services may use together; a feature server comes on top, since nobody has one without asking."""
    return settings.budgets.memory_mib + settings.feast.server * settings.budgets.feature_server_mib


def mlflow_database_url(settings: Settings, project: Project) -> str:
    """MLflow's database: the user's, or SQLite in the project."""
    return settings.mlflow.database or f"sqlite:///{project.mlflow_database}"


def _finish(row: Service, settings: Settings, project: Project, budget_mib: int) -> Service:
    values = row.to_dict() | {
        "log": str(project.service_log(row.name)),
        "memory_budget_mib": budget_mib,
        "start_timeout_seconds": float(settings.stack.start_timeout_seconds),
        "stop_timeout_seconds": min(row.stop_timeout_seconds, float(settings.stack.stop_timeout_seconds)),
    }
    return Service.from_dict(values)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _setup(settings: Settings, project: Project, engine: str) -> Service:
    module = "airfoil.runtime.setup"
    return Service(
        name="setup",
        title="Database and connections",
        kind="job",
        argv=_python(
            module,
            "--applied",
            str(project.airflow_home / "applied.json"),
            "--connections",
            str(connections.connections_file(project)),
            "--variables",
            str(connections.variables_file(project)),
            "--pools",
            profiles.pools_json(settings),
        ),
        module=module,
        stage=AIRFLOW_LAYER if engine == "preloaded" else "",
        needs=("preload",) if engine == "preloaded" else (),
        probe=Probe("exit"),
    )


def _preload() -> Service:
    return Service(
        name="preload",
        title="Pre-loaded parent",
        kind="helper",
        argv=_python("airfoil.runtime.preload"),
        probe=Probe("channel"),
    )


def _airflow(settings: Settings, url: str, port: int, engine: str) -> list[Service]:
    """The components that are forked before the ML libraries are loaded: they need none of them."""
    address = ("--host", settings.airflow.host, "--port", str(port))
    healthy = Probe("http", f"{url}{_HEALTH}", expect={"metadatabase": {"status": "healthy"}})
    web = _component("api-server", "Airflow", healthy, address, engine, AIRFLOW_LAYER)
    return [
        replace(web, port=port, url=url),
        _component(
            "dag-processor", "DAG processor", _heartbeat(url, "dag_processor"), (), engine, AIRFLOW_LAYER
        ),
        _component(
            "triggerer",
            "Triggerer",
            _heartbeat(url, "triggerer"),
            ("--skip-serve-logs",),
            engine,
            AIRFLOW_LAYER,
        ),
    ]


def _scheduler(url: str, engine: str, *, uses_mlflow: bool) -> Service:
    """Last, after the libraries of tasks: its workers, and so the tasks, inherit what is loaded."""
    row = _component(
        "scheduler", "Scheduler", _heartbeat(url, "scheduler"), ("--skip-serve-logs",), engine, TASK_LAYER
    )
    uses = ("api-server", "mlflow") if uses_mlflow else ("api-server",)
    return replace(row, uses=uses, stop_timeout_seconds=20.0)


def _heartbeat(url: str, component: str) -> Probe:
    return Probe("heartbeat", f"{url}{_HEALTH}", component=component)


def _component(
    name: str, title: str, probe: Probe, arguments: tuple[str, ...], engine: str, layer: str
) -> Service:
    module = "airfoil.runtime.component" if engine == "preloaded" else "airflow"
    return Service(
        name=name,
        title=title,
        argv=_python(module, name, *arguments),
        module=module,
        stage=layer if engine == "preloaded" else "",
        fallback_argv=_python("airflow", name, *arguments),
        needs=("setup",),
        uses=() if name == "api-server" else ("api-server",),
        probe=probe,
        version=_version("apache-airflow-core"),
    )


def _mlflow(settings: Settings, project: Project, secrets: Secrets, port: int, engine: str) -> Service:
    url = reachable(settings.mlflow.host, port)
    database = mlflow_database_url(settings, project)
    artifacts = settings.mlflow.artifacts or str(project.artifacts)
    host = settings.mlflow.host
    names = f"localhost:*,127.0.0.1:*,{host}:*,localhost,127.0.0.1,{host}"
    env = {
        "MLFLOW_BACKEND_STORE_URI": database,
        "MLFLOW_REGISTRY_STORE_URI": database,
        "MLFLOW_ARTIFACTS_DESTINATION": artifacts,
        "MLFLOW_SERVER_ALLOWED_HOSTS": names,
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": f"http://localhost:{port},http://127.0.0.1:{port}",
        # The job runner serves GenAI features and costs 0.9 GB at rest.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": secrets.webhook_key,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.mlflow_flask_secret,
    }
    applied = ["--applied", str(project.mlflow_home / "applied.json")]
    arguments = [*applied, "--host", host, "--port", str(port)]
    # MLflow's own command, after its database was proven and upgraded; it becomes that very process.
    plain = [*applied, "server", "--host", host, "--port", str(port), "--workers", "1"]
    if webhooks_are_safe(settings):
        # MLflow itself sends to public addresses and over TLS alone.
        env |= {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}
    if settings.mlflow.auth:
        env |= {
            "MLFLOW_AUTH_ADMIN_USERNAME": MLFLOW_ADMIN,
            "MLFLOW_AUTH_ADMIN_PASSWORD": secrets.mlflow_admin_password,
            "MLFLOW_AUTH_CONFIG_PATH": str(login_file(project)),
        }
        arguments.append("--auth")
        plain += ["--app-name", "basic-auth"]
    module = "airfoil.runtime.mlflow_server"
    fallback = _python("airfoil.runtime.mlflow_database", *plain)
    return Service(
        name="mlflow",
        title="MLflow",
        argv=_python(module, *arguments) if engine == "preloaded" else fallback,
        module=module,
        stage=MLFLOW_LAYER if engine == "preloaded" else "",
        fallback_argv=fallback,
        env=env,
        needs=("setup",),
        probe=Probe("http", f"{url}/health"),
        port=port,
        url=url,
        version=_version("mlflow"),
        stop_timeout_seconds=5.0,
    )


def _alone(mlflow: Service, settings: Settings) -> Service:
    """Start MLflow by itself: there is no setup to wait for, and no parent to be forked from."""
    address = (
        *mlflow.fallback_argv[3:5],  # where it is remembered what was done to the database
        "--host",
        settings.mlflow.host,
        "--port",
        str(mlflow.port),
        *(["--auth"] if settings.mlflow.auth else []),
    )
    ours = chosen_engine(settings) == "preloaded"
    return replace(mlflow, needs=(), argv=_python(mlflow.module, *address) if ours else mlflow.fallback_argv)


def _page(settings: Settings, project: Project, port: int) -> Service:
    url = reachable(settings.page.host, port)
    return Service(
        name="page",
        title="Status page",
        argv=_python(
            "airfoil.stack.page",
            "--project",
            str(project.root),
            "--host",
            settings.page.host,
            "--port",
            str(port),
        ),
        probe=Probe("http", f"{url}/healthz", expect={"status": "ok"}),
        port=port,
        url=url,
        version=_version("airfoil"),
        stop_timeout_seconds=3.0,
    )


def _feature_server(settings: Settings, project: Project, port: int) -> Service:
    """Started by exec: only tasks need the same libraries, and they come and go."""
    url = reachable(settings.feast.host, port)
    address = ("--host", settings.feast.host, "--port", str(port))
    return Service(
        name="feature-server",
        title="Feature server",
        argv=_python(
            "airfoil.runtime.feature_server",
            "--repository",
            str(project.root / settings.feast.repo),
            *address,
        ),
        probe=Probe("http", f"{url}/health"),
        port=port,
        url=url,
        version=_version("feast"),
        stop_timeout_seconds=5.0,
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
