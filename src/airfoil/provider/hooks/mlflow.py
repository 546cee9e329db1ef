"""The hook for connections of type `mlflow`: reads the connection's fields by name and builds a client from them.

It must not import mlflow (clients do, when a model is saved) and must not write to os.environ: two tasks in one worker
may use two servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow.sdk import BaseHook

from airfoil.clients.mlflow_async_http import MlflowAsyncHttp
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Attempt
from airfoil.clients.task_run import MlflowRun
from airfoil.clients.tracking import Tracking
from airfoil.errors import AirfoilError, ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context


class MlflowHook(BaseHook):
    """Connects tasks to an MLflow server.

    The connection's host is the tracking URI (`http://127.0.0.1:5000`, `https://mlflow.example.com/base`), or a bare
    name with the port beside it; login and password are basic auth. Extra fields: `token`, `ca_file`,
    `timeout_seconds`, `tries`, and `browser_url` for links where people come in by another address than tasks.
    """

    conn_name_attr = "mlflow_conn_id"
    default_conn_name = "mlflow_default"
    conn_type = "mlflow"
    hook_name = "MLflow"

    def __init__(self, mlflow_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        """Name the connection; it is read when a client is asked for."""
        super().__init__(**kwargs)
        self.mlflow_conn_id = mlflow_conn_id

    def get_conn(self) -> Tracking:
        """Return a tracking client for the connection. Close it, or use it in a `with` block."""
        return Tracking(self.http())

    def http(self) -> MlflowHttp:
        """Return what carries out exchanges with the server. Close it, or use it in a `with` block."""
        return MlflowHttp(server_from(self.get_connection(self.mlflow_conn_id)))

    async def async_http(self) -> MlflowAsyncHttp:
        """Do the same for triggers and async tasks."""
        return MlflowAsyncHttp(server_from(await self.aget_connection(self.mlflow_conn_id)))

    @contextmanager
    def run_of(self, context: Context, *, experiment: str | None = None) -> Iterator[MlflowRun]:
        """Open the MLflow run of this DAG run, the same one in every try, and close it with the block's outcome.

        The experiment is the DAG's own unless another is named.
        """
        key = RunKey(context["dag_run"].dag_id, context["run_id"])
        attempt = Attempt(context["ti"].try_number)
        with (
            self.get_conn() as tracking,
            tracking.open_dag_run(key, experiment=experiment or key.dag_id, attempt=attempt) as run,
        ):
            self.log.info("MLflow run: %s", run.url)
            yield run

    def test_connection(self) -> tuple[bool, str]:
        """Answer the "Test" button of Airflow: whether the server answers, and lets us in."""
        try:
            with self.get_conn() as tracking:
                tracking.check()
        except AirfoilError as error:
            return False, error.in_full
        return True, f"MLflow answers at {tracking.uri}"


def server_from(connection: Connection) -> MlflowServer:
    """Translate an Airflow connection into the address and login of an MLflow server."""
    extra = connection.extra_dejson
    return MlflowServer(
        uri=_tracking_uri(connection),
        username=connection.login or None,
        password=connection.password or None,
        token=extra.get("token") or None,
        ca_file=extra.get("ca_file") or None,
        timeout_seconds=_number(extra, "timeout_seconds", MlflowServer.timeout_seconds),
        tries=int(_number(extra, "tries", MlflowServer.tries)),
        browser_url=str(extra.get("browser_url") or "").strip(),
    )


def _tracking_uri(connection: Connection) -> str:
    """Join host, port and schema, whichever of them hold the address."""
    host = (connection.host or "").strip()
    if not host:
        raise ConfigurationError(
            f"The Airflow connection '{connection.conn_id}' has no host",
            "Set its host to the tracking URI, such as http://127.0.0.1:5000.",
        )
    if "://" not in host:
        host = f"{connection.schema or 'http'}://{host}"
    parts = urlsplit(host)
    if connection.port and parts.port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return urlunsplit(parts)


def _number(extra: Mapping[str, Any], name: str, default: float) -> float:
    given = extra.get(name)
    if given is None or given == "":
        return default
    try:
        number = float(str(given))
    except ValueError:
        number = 0
    if number <= 0:
        raise ConfigurationError(
            f"'{given}' is not a usable value for '{name}' of an MLflow connection",
            f"Give a positive number, or leave it empty for {default:g}.",
        )
    return number
