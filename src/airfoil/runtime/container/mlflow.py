"""MLflow in a container: told where it lies behind the proxy, with logins kept on a database, and its own metrics.

Writes the file from which MLflow's basic auth reads, keeps the accounts of machines as the environment says, and then
is `airfoil.runtime.mlflow_server`; where that does not know the release, MLflow's own command. Upgrades both databases
and refuses one of a newer release. Must not keep anything on its own disk.
"""

from __future__ import annotations

import configparser
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from airfoil.runtime import EXIT_UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

USERS_VARIABLE = "AIRFOIL_MLFLOW_AUTH_DATABASE_URL"
ACCOUNTS_VARIABLE = "AIRFOIL_MLFLOW_ACCOUNTS"
"""`{"airflow": "password"}`: what the machines log in with. They may do everything but administer."""
AUTHORIZATION_VARIABLE = "AIRFOIL_MLFLOW_AUTHORIZATION"
"""`module:function` by which MLflow learns who calls; without it, MLflow's own basic auth."""
REQUIRED = (
    USERS_VARIABLE,
    "MLFLOW_BACKEND_STORE_URI",
    "MLFLOW_ARTIFACTS_DESTINATION",
    "MLFLOW_AUTH_ADMIN_USERNAME",
    "MLFLOW_AUTH_ADMIN_PASSWORD",
    "MLFLOW_FLASK_SERVER_SECRET_KEY",
)
CACHE_SECONDS = 60
"""Each check of a password costs 50 ms of hashing; a changed one is noticed this much later."""
FOLDER = Path("/tmp/mlflow")  # noqa: S108 - a container's own; made with mode 0700
EXIT_CONFIGURATION = 78
ANYWHERE = "0.0.0.0"  # noqa: S104 - a container's own network; nothing but the proxy is published
PORT = "5000"
KINDS = ("experiment", "registered_model", "prompt", "scorer")
"""What accounts of machines may manage: what tasks make, promote and tidy away."""


def write_login_file(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write where users are kept and what they may do; 0600, since the database's address holds a password."""
    values = {
        "default_permission": "NO_PERMISSIONS",
        "database_uri": environment[USERS_VARIABLE].replace("%", "%%"),
        "auth_cache_ttl_seconds": str(CACHE_SECONDS),
    }
    if environment.get(AUTHORIZATION_VARIABLE):
        values["authorization_function"] = environment[AUTHORIZATION_VARIABLE]
    parser = configparser.ConfigParser()
    parser.read_dict({"mlflow": values})
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "auth.ini"
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        parser.write(file)
    return path


def settle(environment: MutableMapping[str, str], folder: Path) -> None:
    """Set what MLflow's web application reads while it is imported, as its own command does."""
    environment["MLFLOW_AUTH_CONFIG_PATH"] = str(write_login_file(folder, environment))
    # Its job runner serves GenAI features and costs 0.9 GB at rest.
    environment.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    if prefix := environment.get("MLFLOW_STATIC_PREFIX"):
        environment["_MLFLOW_STATIC_PREFIX"] = prefix
    if find_spec("prometheus_flask_exporter") is not None:
        environment.setdefault(
            "prometheus_multiproc_dir", environment.get("MLFLOW_EXPOSE_PROMETHEUS") or str(folder / "metrics")
        )


def accounts(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the accounts of machines, and the administrator, whose password follows the environment too."""
    try:
        found = json.loads(environment.get(ACCOUNTS_VARIABLE) or "{}")
    except ValueError:
        found = None  # the decoder's error carries the text, and the text holds passwords
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        _give_up(f"{ACCOUNTS_VARIABLE} does not hold names and passwords as one JSON object.")
    return found


def keep_accounts() -> None:
    """Bring the logins of machines and of the administrator up to what the environment says."""
    from mlflow.server.auth import store

    administrator = os.environ["MLFLOW_AUTH_ADMIN_USERNAME"], os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"]
    for name, password in (administrator, *accounts(os.environ).items()):
        if not store.has_user(name):
            store.create_user(name, password)
        elif not store.authenticate_user(name, password):
            store.update_user(name, password=password)
            print(f"the password of MLflow's user {name} is now that of the environment", file=sys.stderr)
        if name != administrator[0]:
            for kind in KINDS:
                store.grant_user_permission(name, kind, "*", "MANAGE")


def _give_up(sentence: str) -> NoReturn:
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(EXIT_CONFIGURATION)


def main() -> None:
    """Entry point: without arguments; the environment is MLflow's own, and the three variables above."""
    if missing := [name for name in REQUIRED if not os.environ.get(name)]:
        _give_up(f"{', '.join(missing)} must be set; `airfoil deploy compose` writes them into .env.")
    settle(os.environ, FOLDER)
    from airfoil.runtime import mlflow_server

    host, port = os.environ.get("MLFLOW_HOST") or ANYWHERE, os.environ.get("MLFLOW_PORT") or PORT
    address = ["--host", host, "--port", port]
    applied = ["--applied", str(FOLDER / "applied.json")]
    try:
        mlflow_server.main([*applied, *address, "--auth"], before_serving=keep_accounts)
    except SystemExit as end:
        if end.code != EXIT_UNSUPPORTED:
            raise
    else:
        return
    plain = [*applied, "server", *address, "--workers", "1", "--app-name", "basic-auth"]
    os.execv(sys.executable, [sys.executable, "-m", "airfoil.runtime.mlflow_database", *plain])  # noqa: S606 - our own Python, no shell


if __name__ == "__main__":
    main()
