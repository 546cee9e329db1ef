"""The worker that looks after a server: backups, restores, tidying up. It alone may open every database.

`python -m airfoil.runtime.container.maintenance` serves the queue of that name; with words behind it, it becomes
`airfoil WORDS` instead. Both work on a project that is made here: the one in the image by links, with a private folder
of its own, and the server's keys in it. Variables AIRFOIL_* say where databases are. Must not know what a backup is.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.runtime.container.own_dags import own_dags
from airfoil.runtime.container.worker import HEARTBEAT, beat_into

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUE = "maintenance"
IMAGE_PROJECT = Path("/opt/airfoil/project")
HOME_VARIABLE = "AIRFLOW__AIRFOIL__PROJECT"
WORK_VARIABLE = "AIRFLOW__AIRFOIL__WORK_AREA"
LOGS_VARIABLE = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"
KEYS = (
    ("FERNET_KEY", "fernet_key"),
    ("MLFLOW_WEBHOOK_KEY", "webhook_key"),
    ("MLFLOW_ADMIN_PASSWORD", "mlflow_admin_password"),
    ("_AIRFLOW_WWW_USER_USERNAME", "server_admin_username"),
    ("_AIRFLOW_WWW_USER_PASSWORD", "server_admin_password"),
)
"""What .env calls a key or a login, and what secrets.json does. They are in every backup, sealed."""
_STATE = ".airfoil"
_LOGS = Path("logs/tasks")
_SHARED = ".maintenance"
_SETTINGS = "airfoil.toml"


def make_project(home: Path, image: Path, environ: Mapping[str, str]) -> None:
    """Make the project, or bring it up to date: the image and the keys may be newer than the volume."""
    state = home / _STATE
    for folder in (home, state):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in sorted(path.name for path in image.iterdir()):
        _link(home / part, image / part)
    if not (home / _SETTINGS).exists():
        (home / _SETTINGS).write_text('[project]\nname = "airfoil"\n', encoding="utf-8")
    if environ.get(WORK_VARIABLE):
        _link(state / "work", Path(environ[WORK_VARIABLE]))
    if environ.get(LOGS_VARIABLE):  # of workers on other hosts; those of ours are in S3
        (state / _LOGS).parent.mkdir(mode=0o700, exist_ok=True)
        _link(state / _LOGS, Path(environ[LOGS_VARIABLE]))
    keys = {name: environ[variable] for variable, name in KEYS if environ.get(variable)}
    if keys:  # none for a restore, which brings its own
        _write_keys(state / "secrets.json", keys)


def remove_shared(environ: Mapping[str, str]) -> None:
    """Remove what earlier versions wrote into the volume that all tasks share: keys were in it."""
    if environ.get(WORK_VARIABLE):
        shutil.rmtree(Path(environ[WORK_VARIABLE]) / _SHARED, ignore_errors=True)


def _write_keys(file: Path, keys: Mapping[str, str]) -> None:
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    fresh = file.with_name(".secrets.json.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({**known, **keys}, stream, indent=2)
    fresh.replace(file)


def _link(place: Path, target: Path) -> None:
    if place.is_symlink() and place.readlink() != target:
        place.unlink()
    if not place.is_symlink() and not place.exists():
        place.symlink_to(target)


def main() -> None:
    """Entry point: make the project, then serve the queue or become the command."""
    home = Path(os.environ[HOME_VARIABLE])
    remove_shared(os.environ)
    make_project(home, IMAGE_PROJECT, os.environ)
    if words := sys.argv[1:]:
        command = [sys.executable, "-m", "airfoil", "--project", str(home), *words]
        os.execv(sys.executable, command)  # noqa: S606 - our own command, no shell
    own_dags(os.environ)
    beat_into(HEARTBEAT)
    # Flower tells it from the others by this name.
    name = f"{QUEUE}@%h"
    sys.argv = [
        "airflow",
        "celery",
        "worker",
        "--queues",
        QUEUE,
        "--concurrency",
        "1",
        "--celery-hostname",
        name,
    ]
    from airflow.__main__ import main as airflow_main

    airflow_main()


if __name__ == "__main__":
    main()
