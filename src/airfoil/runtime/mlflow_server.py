"""Starts MLflow's web application in this process, as `mlflow server --workers 1` does in a second one.

The plain command keeps an idle parent of 240 MB beside its worker and takes twice as long. What it does before it
starts uvicorn (private environment names, store initialisation, the first administrator) is repeated here, which is
bound to the release: `self_test` proves every piece first and ends with exit code 97 when one is missing; the stack
then runs the plain command.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from airfoil.runtime import EXIT_UNSUPPORTED, mlflow_database

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TESTED_RELEASES = ("3.17.",)


def self_test() -> None:
    """Is this the MLflow we know? Ends with EXIT_UNSUPPORTED when it is not."""
    import mlflow

    if os.environ.get("AIRFOIL_MLFLOW_LAUNCHER") == "plain":
        _unsupported("the plain command was asked for")
    if not mlflow.__version__.startswith(TESTED_RELEASES):
        _unsupported(f"MLflow {mlflow.__version__} is not one we have tested ({', '.join(TESTED_RELEASES)}x)")
    try:
        from mlflow.server import _bootstrap_basic_auth, _find_app, constants, handlers  # noqa: F401 - are they there

        for name in (
            "BACKEND_STORE_URI_ENV_VAR",
            "REGISTRY_STORE_URI_ENV_VAR",
            "ARTIFACT_ROOT_ENV_VAR",
            "ARTIFACTS_DESTINATION_ENV_VAR",
            "SERVE_ARTIFACTS_ENV_VAR",
        ):
            getattr(constants, name)
        handlers.initialize_backend_stores  # noqa: B018 - an AttributeError is the answer
    except (ImportError, AttributeError) as error:
        _unsupported(str(error))


def _unsupported(reason: str) -> NoReturn:
    print(f"mlflow launcher: {reason}; starting `mlflow server` instead", file=sys.stderr)
    raise SystemExit(EXIT_UNSUPPORTED)


def hand_over(database: str, registry: str, artifacts: str) -> None:
    """Set the private names by which the web application is told where everything lies."""
    from mlflow.server import constants, handlers

    root = "mlflow-artifacts:/"
    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: database,
        constants.REGISTRY_STORE_URI_ENV_VAR: registry,
        constants.ARTIFACT_ROOT_ENV_VAR: root,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: artifacts,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        "_MLFLOW_SERVER_BOOT_ID": uuid.uuid4().hex,
        "_MLFLOW_SGI_NAME": "uvicorn",
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
    }
    handlers.initialize_backend_stores(database, registry, root)


def application(*, auth: bool) -> tuple[str, bool]:
    """Which ASGI application to serve, and whether it is a factory."""
    if not auth:
        return "mlflow.server.fastapi_app:app", False
    from mlflow.server import _bootstrap_basic_auth, _find_app, _is_factory

    found = _find_app("basic-auth")
    factory = _is_factory(found)
    _bootstrap_basic_auth()
    os.environ["_MLFLOW_AUTH_ADMIN_BOOTSTRAPPED"] = "true"
    return found, factory


def main(argv: Sequence[str] | None = None, before_serving: Callable[[], None] | None = None) -> None:
    """Entry point: `--host H --port P --applied FILE [--auth]`; the rest comes from MLflow's own environment names."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.mlflow_server", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--applied", type=Path, required=True)
    parser.add_argument("--auth", action="store_true")
    options = parser.parse_args(argv)
    self_test()
    database = os.environ["MLFLOW_BACKEND_STORE_URI"]
    mlflow_database.make_ready(database, options.applied)
    hand_over(
        database,
        os.environ.get("MLFLOW_REGISTRY_STORE_URI") or database,
        os.environ["MLFLOW_ARTIFACTS_DESTINATION"],
    )
    target, factory = application(auth=options.auth)
    if before_serving is not None:
        before_serving()
    import uvicorn

    uvicorn.run(
        target,
        factory=factory,
        host=options.host,
        port=options.port,
        access_log=False,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
