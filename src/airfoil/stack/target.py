"""Which platform the commands of a project mean: the one on this machine, or a Compose server that was rendered for it.

`airfoil target use compose` writes down where that server's files are; address and logins are read from its .env each
time, so that nothing secret is kept twice. Must not connect to anything and must not start a process.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, StorageError
from airfoil.stack import process
from airfoil.stack.deploy import authority, env_file
from airfoil.stack.secrets import MLFLOW_ADMIN
from airfoil.stack.storage import storage_error, write_private

if TYPE_CHECKING:
    from airfoil.stack.project import Project

COMPOSE, EMBEDDED = "compose", "embedded"
AIRFLOW_SERVICE = "airflow-api-server"
"""The container in which commands of a person run: it has the database's address, and time."""
MAINTENANCE = "exec maintenance python -m airfoil.runtime.container.maintenance"
"""What stands before a command of ours that opens databases, for Docker Compose."""
FEATURES = "/opt/airfoil/project/features"
"""Where the images have the feature repository."""
_FILES = ("compose.yaml", "compose.override.yaml")
_AIRFLOW = ("AIRFOIL_URL", "_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD")
_OUR_MLFLOW = ("MLFLOW_ADMIN_PASSWORD",)
_OTHER_MLFLOW = ("MLFLOW_URL", "MLFLOW_AIRFLOW_USERNAME", "MLFLOW_AIRFLOW_PASSWORD")


@dataclass(frozen=True)
class ComposeTarget:
    """The folder of a Compose server."""

    folder: Path

    @property
    def url(self) -> str:
        """The address at which people open it."""
        return self._values()["AIRFOIL_URL"].rstrip("/")

    @property
    def authority(self) -> Path | None:
        """The certificate of who has signed the server's, where not every machine knows them."""
        path = authority.place(self.folder, self._spoken())
        return path if path is not None and path.is_file() else None

    @property
    def has_other_mlflow(self) -> bool:
        """Whether its MLflow is a server of somebody else, with a certificate of its own."""
        return bool(self._spoken().get("MLFLOW_URL"))

    def logins(self) -> dict[str, dict[str, str]]:
        """Return address, user name and password of Airflow and MLflow, as `servers` keeps such rows."""
        found = self._values()
        url, username, password = (found[name] for name in _AIRFLOW)
        url = url.rstrip("/")
        if found.get("MLFLOW_URL"):
            address, login, of_mlflow = (found[name] for name in _OTHER_MLFLOW)
        else:
            address, login, of_mlflow = f"{url}/mlflow", MLFLOW_ADMIN, found["MLFLOW_ADMIN_PASSWORD"]
        return {
            "airflow": {"url": url, "username": username, "password": password},
            "mlflow": {"url": address.rstrip("/"), "username": login, "password": of_mlflow},
        }

    def command(self, *arguments: str) -> list[str]:
        """Return a command of Docker Compose that means this server, with the files that its .env names."""
        files = [part for name in self._files() for part in ("-f", str(self.folder / name))]
        return ["docker", "compose", "--project-directory", str(self.folder), *files, *arguments]

    def _files(self) -> tuple[str, ...]:
        """Compose reads COMPOSE_FILE from .env only where no file is named, and from where it is called.

        A file that somebody has named and that is missing is for Compose to refuse: without it this is another server.
        """
        named = self._spoken().get("COMPOSE_FILE", "")
        return (
            tuple(named.split(":")) if named else tuple(one for one in _FILES if (self.folder / one).exists())
        )

    def _spoken(self) -> dict[str, str]:
        """Return what .env says, nothing where it cannot be read: a command that needs values of it says so."""
        try:
            return env_file.spoken_values((self.folder / env_file.NAME).read_text(encoding="utf-8"))
        except OSError:
            return {}

    def _values(self) -> dict[str, str]:
        """Return what .env says, when all is there that commands need."""
        path = self.folder / env_file.NAME
        again = "Render it again: `airfoil deploy compose`; or work with this machine: `airfoil target use embedded`."
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"There is no Compose server in {self.folder}: {path} is missing.", again
            ) from error
        except OSError as error:
            raise storage_error(path, error) from error
        values = env_file.spoken_values(text)
        needed = _AIRFLOW + (_OTHER_MLFLOW if values.get("MLFLOW_URL") else _OUR_MLFLOW)
        missing = [name for name in needed if not values.get(name)]
        if missing:
            raise ConfigurationError(f"{path} gives no value for {', '.join(missing)}.", again)
        return values


def active(project: Project) -> ComposeTarget | None:
    """Return the Compose server that commands mean; None: they mean this machine.

    What the platform of this machine runs by itself, such as a backup at night, means that platform.
    """
    if _belongs_to_stack(project):
        return None
    path = _file(project)
    try:
        folder = json.loads(path.read_text(encoding="utf-8"))[COMPOSE]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} is damaged.", "Choose again: `airfoil target use embedded`.") from error
    return ComposeTarget(Path(str(folder)))


def use_compose(project: Project, folder: Path) -> ComposeTarget:
    """Let the commands of the project mean this server; one whose .env is not whole is refused."""
    target = ComposeTarget(folder.absolute())
    target.logins()
    project.prepare()
    write_private(_file(project), json.dumps({COMPOSE: str(target.folder)}) + "\n")
    return target


def use_embedded(project: Project) -> None:
    """Let the commands of the project mean this machine."""
    path = _file(project)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def _belongs_to_stack(project: Project) -> bool:
    mark = os.environ.get(process.STACK_MARK)
    if not mark:
        return False
    from airfoil.stack.services import stack_id

    return mark == stack_id(project)


def _file(project: Project) -> Path:
    return project.state / "target.json"


def without_docker() -> ConfigurationError:
    """Say that there is no Docker on this machine."""
    return ConfigurationError(
        "Docker is not installed here.", "Run this on the server, or install Docker and its Compose plugin."
    )
