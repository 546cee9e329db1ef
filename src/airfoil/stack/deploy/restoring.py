"""Puts a backup into a Compose server: its job `restore` fills databases and buckets, .env gets the backup's keys.

Everything of Airflow and MLflow has to be stopped. The keys come last: until they are written, the server's own keys
are those that it was rendered with, and a restore that failed is tried again.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import NeighbourError
from airfoil.stack.backup import creation, sources
from airfoil.stack.deploy import env_file, owned_files
from airfoil.stack.target import without_docker

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.target import ComposeTarget

SEALED_FILE = ".airfoil/secrets.json"
KEYS = (("FERNET_KEY", "fernet_key"), ("MLFLOW_WEBHOOK_KEY", "webhook_key"))
"""Keys that data is encrypted with: their name in .env, and in secrets.json."""
MLFLOW_LOGIN = (("MLFLOW_ADMIN_PASSWORD", "mlflow_admin_password"),)
"""Only when MLflow's logins themselves come along."""
AIRFLOW_LOGIN = (
    ("_AIRFLOW_WWW_USER_USERNAME", "server_admin_username"),
    ("_AIRFLOW_WWW_USER_PASSWORD", "server_admin_password"),
)
"""Only when people come along: a server keeps them in Airflow's database, a laptop does not."""
PEOPLE = "ab_user"
PASSPHRASE = "AIRFOIL_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable
RESTORING = "AIRFOIL_RESTORING"
"""Lets an older release through postgres.sh, which refuses it on newer databases: these are about to be replaced."""
_PLACE = "/airfoil/place"
_HOME = "AIRFLOW__AIRFOIL__PROJECT=/tmp/platform"
_MAY_RUN = frozenset({"postgres", "redis", "s3", "proxy", "status", "prometheus", "alertmanager", "grafana"})
_LIVING = ("running", "restarting", "paused")
"""States of a container that may write at any moment; one that crashes is mostly between two starts."""
_STANDARD_ERROR = 2


def run(command: Sequence[str], environment: Mapping[str, str], *, shown: bool) -> tuple[int, str]:
    """Carry out a command of Docker Compose; what is shown goes to standard error, the rest is returned."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=_STANDARD_ERROR if shown else subprocess.PIPE,  # the answer of --json stays alone
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise without_docker() from error
    return done.returncode, done.stdout or ""


@dataclass(frozen=True)
class ComposeRestoration:
    """One backup to be put into one server."""

    target: ComposeTarget
    manifest: Manifest
    kept: Objects
    passphrase: str
    place: Path
    """The folder in which the backup lies."""
    overwrite: bool = False
    run: Callable[..., tuple[int, str]] = run

    def carry_out(self) -> list[str]:
        """Do it, and return the names of the variables in .env that are the backup's now."""
        files = creation.unsealed(self.manifest, self.kept, self.passphrase)  # a wrong passphrase ends here
        keys = self._keys(files)
        self._refuse_running()
        begun = {RESTORING: "begun"} if self.overwrite else {}
        code, _ = self.run(self._command(), {PASSPHRASE: self.passphrase, **begun}, shown=True)
        if code:
            raise NeighbourError(
                "The restore inside the server failed; what it said is above.",
                "Mend that, and run the same command again; with --overwrite where databases are filled already.",
            )
        if self.overwrite:
            self._note_release()
        return self._write(keys)

    def _note_release(self) -> None:
        """Let the server note that its databases are of its own release now, which may be an older one."""
        command = self.target.command("run", "--rm", "--no-deps", "postgres-init")
        code, _ = self.run(command, {RESTORING: "done"}, shown=True)
        if code:
            raise NeighbourError(
                "The backup is in the databases, but of which release they are could not be noted; why is above.",
                "Mend that, and run the same command again.",
            )

    def _command(self) -> list[str]:
        # As root, who may read a backup of any user, and with no other right than that.
        rights = ("--user", "0:0", "--cap-add", "DAC_READ_SEARCH")
        words = ("backup", "restore", self.manifest.name, "--from", _PLACE, "--without-files")
        return self.target.command(
            *("run", "--rm", *rights, "--volume", f"{self.place}:{_PLACE}:ro"),
            *("--env", PASSPHRASE, "--env", _HOME, "restore"),
            *("python", "-m", "airfoil.runtime.container.maintenance", *words),
            *(["--overwrite"] if self.overwrite else []),
        )

    def _refuse_running(self) -> None:
        states = [word for state in _LIVING for word in ("--status", state)]
        code, said = self.run(self.target.command("ps", "--services", *states), {}, shown=False)
        if code:
            raise NeighbourError(
                "Docker Compose did not say what runs.",
                f"Look: cd '{self.target.folder}' && docker compose ps",
            )
        working = sorted(set(said.split()) - _MAY_RUN)
        if working:
            raise NeighbourError(
                f"The server runs ({', '.join(working[:5])}), and a restore would change what it works on.",
                f"Stop it first: cd '{self.target.folder}' && docker compose stop",
            )

    def _keys(self, files: Mapping[str, bytes]) -> dict[str, str]:
        known = json.loads(files.get(SEALED_FILE, b"{}"))
        wanted = [*KEYS]
        if self.manifest.database(sources.MLFLOW_AUTH) is not None:
            wanted += MLFLOW_LOGIN
        airflow = self.manifest.database(sources.AIRFLOW)
        if airflow is not None and PEOPLE in airflow.tables:
            wanted += AIRFLOW_LOGIN
        return {variable: str(known[name]) for variable, name in wanted if known.get(name)}

    def _write(self, keys: Mapping[str, str]) -> list[str]:
        """Write the keys into .env, and keep the file of before beside it."""
        path = self.target.folder / env_file.NAME
        text = path.read_text(encoding="utf-8")
        before = env_file.values(text)
        changed = [name for name, value in keys.items() if env_file.spoken(before.get(name, "")) != value]
        if changed:
            owned_files.put_private(path.with_name(f"{env_file.NAME}.before-restore"), text)
            given = before | {name: env_file.written(keys[name]) for name in changed}
            owned_files.put_private(path, env_file.rendered(text, given))
        return changed
