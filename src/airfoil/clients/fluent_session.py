"""Let mlflow's fluent functions (`mlflow.start_run()`, `mlflow.log_metric()`) continue one given run for a while.

They take server, login and run from environment variables of the process, so these are set for the length of a block
and put back. Only for a process that does one task at a time. mlflow is not imported unless autologging is asked for.
Must not open or close the given run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any

from airfoil.clients.arrivals import on_arrival
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.request_headers import headers_without_feast

_FLUENT = "mlflow.tracking.fluent"
_RUN_ID = "MLFLOW_RUN_ID"
_EXPERIMENT_ID = "MLFLOW_EXPERIMENT_ID"


@contextmanager
def fluent_session(server: MlflowServer, run_id: str, *, autolog: bool = False) -> Iterator[None]:
    """Make `mlflow.start_run()` adopt a run of this server in the block; `autolog` also logs what is fitted in it."""
    with ExitStack() as stack:
        stack.enter_context(_variables(_environment(server, run_id)))
        stack.enter_context(headers_without_feast())
        stack.enter_context(_free_experiment(run_id))
        if autolog:
            stack.enter_context(_autologging(run_id))
        yield


def _environment(server: MlflowServer, run_id: str) -> dict[str, str | None]:
    """Return what mlflow reads; None is a variable that must not be there."""
    token = server.token or None
    return {
        "MLFLOW_TRACKING_URI": server.uri,
        "MLFLOW_TRACKING_USERNAME": None if token else server.username,
        "MLFLOW_TRACKING_PASSWORD": None if token else server.password,
        "MLFLOW_TRACKING_TOKEN": token,
        # Without one in the connection, whatever the installation has set stays.
        "MLFLOW_TRACKING_SERVER_CERT_PATH": server.ca_file
        or os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"),
        # Its own patience with a server that is down is minutes; Airflow has retries.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(server.tries),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, round(server.timeout_seconds))),
        _RUN_ID: run_id,
        _EXPERIMENT_ID: None,
    }


@contextmanager
def _variables(values: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _free_experiment(run_id: str) -> Iterator[None]:
    """Let `mlflow.set_experiment()` stand before the `start_run()` that adopts, as it does in code that is pasted.

    mlflow refuses to continue a run of another experiment than the chosen one. Until the run is adopted the choice is
    therefore forgotten again: where the run is has been decided.
    """
    with on_arrival(_FLUENT, lambda fluent: _relax(fluent, run_id)):
        yield


def _relax(fluent: Any, run_id: str) -> Callable[[], None]:
    """Wrap `set_experiment`; return what undoes it and ends the runs that the block has left open."""
    original, chosen_before = fluent.set_experiment, fluent._active_experiment_id  # noqa: SLF001 - it has no public form
    outer = [run.info.run_id for run in fluent._active_run_stack.get()]  # noqa: SLF001 - as above
    fluent._active_experiment_id = None  # noqa: SLF001 - as above

    def set_experiment(*args: Any, **kwargs: Any) -> Any:
        experiment = original(*args, **kwargs)
        if os.environ.get(_RUN_ID) == run_id:
            fluent._active_experiment_id = None  # noqa: SLF001 - as above
            os.environ.pop(_EXPERIMENT_ID, None)
        return experiment

    _replace(fluent, set_experiment)

    def undo() -> None:
        _replace(fluent, original)
        for _ in range(len(fluent._active_run_stack.get()) - len(outer)):  # noqa: SLF001 - as above
            with suppress(
                Exception
            ):  # the server is gone; mlflow has forgotten the run, which is what matters
                fluent.end_run()
        fluent._active_experiment_id = chosen_before  # noqa: SLF001 - as above

    return undo


def _replace(fluent: ModuleType, set_experiment: Callable[..., Any]) -> None:
    for module in (fluent, sys.modules.get("mlflow")):
        if module is not None and hasattr(module, "set_experiment"):
            module.set_experiment = set_experiment  # type: ignore[attr-defined]


@contextmanager
def _autologging(run_id: str) -> Iterator[None]:
    """Log what libraries fit into the run. Models are not logged by themselves: mlflow would guess their packages."""
    import mlflow

    mlflow.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run(run_id=run_id):
            yield
    finally:
        mlflow.autolog(disable=True, silent=True)
