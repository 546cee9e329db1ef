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
from typing import NoReturn

from airfoil.errors import redact
from airfoil.runtime import EXIT_UNSUPPORTED

TESTED_RELEASES = ("3.17.",)
EXIT_CONFIGURATION = 78
EXIT_UNAVAILABLE = 75
_SQLITE = "sqlite:///"
_CONNECT_TIMEOUT_SECONDS = 10
_REPLACE = "Move it away and run `airfoil up` again, or restore a backup in its place."


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


def prove_database(url: str) -> None:
    """End with one sentence when the database cannot be used; MLflow itself says it after 100 s, in 200 lines."""
    import sqlalchemy as sql
    from sqlalchemy.exc import SQLAlchemyError

    shown = redact(url.removeprefix(_SQLITE))
    on_server = not url.startswith(_SQLITE)
    if not on_server and not Path(shown.partition("?")[0]).exists():
        return
    try:
        patience = {"connect_timeout": _CONNECT_TIMEOUT_SECONDS} if on_server else {}
        engine = sql.create_engine(url, poolclass=sql.NullPool, connect_args=patience)
        tables = set(sql.inspect(engine).get_table_names())
    except ModuleNotFoundError as error:
        _give_up(
            f"{shown} needs the module {error.name}; install it with `uv pip install 'airfoil[postgres]'`."
        )
    except (SQLAlchemyError, OSError) as error:
        reason = redact(str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip("."))
        if on_server:
            _give_up(f"MLflow's database {shown} cannot be used: {reason}.", EXIT_UNAVAILABLE)
        _give_up(f"{shown} is not a usable SQLite database ({reason}). {_REPLACE}")
    if tables and "alembic_version" not in tables:
        _give_up(f"{shown} is half-migrated: it has tables but no schema version. {_REPLACE}")


def _give_up(sentence: str, code: int = EXIT_CONFIGURATION) -> NoReturn:
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def prepare_database(url: str) -> None:
    """Build a new SQLite database under a temporary name and move it into place complete.

    A first start killed half-way leaves only the temporary file, which the next start removes.
    """
    if not url.startswith(_SQLITE):
        return
    target = Path(url.removeprefix(_SQLITE).partition("?")[0])
    if target.exists() and target.stat().st_size:
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    fresh = target.with_name(target.name + ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    store = SqlAlchemyStore(f"{_SQLITE}{fresh}", "mlflow-artifacts:/")
    store.engine.dispose()
    fresh.chmod(0o600)
    fresh.replace(target)


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


def main() -> None:
    """Entry point: `--host H --port P [--auth]`; everything else comes from MLflow's own environment names."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.mlflow_server", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--auth", action="store_true")
    options = parser.parse_args()
    self_test()
    database = os.environ["MLFLOW_BACKEND_STORE_URI"]
    prove_database(database)
    prepare_database(database)
    hand_over(
        database,
        os.environ.get("MLFLOW_REGISTRY_STORE_URI") or database,
        os.environ["MLFLOW_ARTIFACTS_DESTINATION"],
    )
    target, factory = application(auth=options.auth)
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
