"""The Airflow and MLflow that existed before us: their addresses, and our logins there.

A password comes from the environment of a command, or from a private file in .airfoil, and belongs to one address and
one name: after a change of either it is not sent anywhere. What `up` settled lies in .airfoil/run for those who talk to
the running platform (the status page, `run`, `status`). Must not connect to anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from airfoil.errors import ConfigurationError, NeighbourError, StorageError
from airfoil.stack import secrets, target
from airfoil.stack.storage import storage_error, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

ServerName = Literal["airflow", "mlflow"]
NAMES: tuple[ServerName, ...] = get_args(ServerName)
TITLES: dict[ServerName, str] = {"airflow": "Airflow", "mlflow": "MLflow"}
# The service of ours that a foreign server stands in for.
SERVICES: dict[ServerName, str] = {"airflow": "api-server", "mlflow": "mlflow"}
# Under this name `airfoil connections set` takes the login of each.
LOGIN_NAMES: dict[ServerName, str] = {"airflow": "airflow", "mlflow": "mlflow_default"}
PASSWORD_VARIABLES: dict[ServerName, str] = {
    "airflow": "AIRFOIL_AIRFLOW_PASSWORD",
    "mlflow": "AIRFOIL_MLFLOW_PASSWORD",
}


@dataclass(frozen=True)
class Server:
    """Where a server is, and who we are there. Its text form shows no password."""

    name: ServerName
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    foreign: bool = True

    @property
    def title(self) -> str:
        """What people call it."""
        return TITLES[self.name]

    @property
    def auth(self) -> tuple[str, str] | None:
        """Name and password for basic auth, if we have a name."""
        return (self.username, self.password) if self.username else None


def resolve(settings: Settings, project: Project, environ: Mapping[str, str]) -> dict[ServerName, Server]:
    """Return the servers that the settings or the target name, each with the login we have for it."""
    found: dict[ServerName, Server] = {}
    for name in NAMES:
        section = settings.airflow if name == "airflow" else settings.mlflow
        if section.url:
            known = _login(project, name, section.url, section.username)
            username = section.username or known.get("username", "")
            password = environ.get(PASSWORD_VARIABLES[name]) or known.get("password", "")
            found[name] = Server(name, section.url, username, password)
    return found | _of_target(project)


def _of_target(project: Project) -> dict[ServerName, Server]:
    chosen = target.active(project)
    rows = {} if chosen is None else chosen.logins()
    return {
        name: Server(name, rows[name]["url"], rows[name]["username"], rows[name]["password"])
        for name in NAMES
        if name in rows
    }


def _login(project: Project, name: ServerName, url: str, username: str) -> dict[str, str]:
    """Return the kept login for this address and this name (any, when the settings give none)."""
    for path in (running_file(project), stored_file(project)):
        known = _read(path).get(name, {})
        if known.get("url") == url and username in {"", known.get("username")}:
            return known
    return {}


def settle(project: Project, servers: Mapping[ServerName, Server]) -> None:
    """Write down for the running platform which logins it was started with."""
    rows = {name: _row(server) for name, server in servers.items()}
    if _read(running_file(project)) != rows:
        write_private(running_file(project), json.dumps(rows, indent=1) + "\n")


def unsettle(project: Project) -> None:
    """Forget what was for the running platform alone; what a person stored stays."""
    path = running_file(project)
    if not os.path.lexists(path):  # a read-only disk refuses to remove even what is not there
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def store_login(project: Project, server: Server) -> None:
    """Keep a login (0600) until it is deleted; a running platform's page and commands use it at once."""
    for path in (stored_file(project), running_file(project)):
        known = _read(path)
        if path == stored_file(project) or server.name in known:
            write_private(path, json.dumps({**known, server.name: _row(server)}, indent=1) + "\n")


def delete_login(project: Project, name: ServerName) -> bool:
    """Forget a stored login; False when there was none."""
    known = _read(stored_file(project))
    if known.pop(name, None) is None:
        return False
    write_private(stored_file(project), json.dumps(known, indent=1) + "\n")
    return True


def has_login(project: Project, name: ServerName) -> bool:
    """Tell whether a login is stored."""
    return name in _read(stored_file(project))


def settled(project: Project) -> dict[ServerName, Server]:
    """Return the foreign servers of the running platform."""
    rows = _read(running_file(project))
    return {
        name: Server(name, rows[name]["url"], rows[name].get("username", ""), rows[name].get("password", ""))
        for name in NAMES
        if "url" in rows.get(name, {})
    }


def airflow_of(project: Project, state: StackState) -> Server:
    """Return the Airflow of the running platform, ours or not."""
    url = state.foreign.get("airflow")
    if url is not None:
        return _not_ours(project, "airflow", url)
    password = secrets.load(project).admin_password
    return Server("airflow", _url(state, "airflow"), secrets.AIRFLOW_ADMIN, password, foreign=False)


def mlflow_of(project: Project, state: StackState, *, auth: bool) -> Server:
    """Return the MLflow of the running platform, ours or not; `auth` says whether ours asks for a login."""
    url = state.foreign.get("mlflow")
    if url is not None:
        return _not_ours(project, "mlflow", url)
    url = _url(state, "mlflow")
    if not auth:
        return Server("mlflow", url, foreign=False)
    password = secrets.load(project).mlflow_admin_password
    return Server("mlflow", url, secrets.MLFLOW_ADMIN, password, foreign=False)


def _not_ours(project: Project, name: ServerName, url: str) -> Server:
    return (_of_target(project) or settled(project)).get(name) or Server(name, url)


def _url(state: StackState, name: ServerName) -> str:
    service = state.service(SERVICES[name])
    if service is None or not service.url:
        raise NeighbourError(f"This stack has no {SERVICES[name]} with an address.", "See `airfoil status`.")
    return service.url


def login_command(name: ServerName) -> str:
    """Return the command that asks for a login and keeps it."""
    return f"airfoil connections set {LOGIN_NAMES[name]}"


def not_foreign(name: ServerName) -> ConfigurationError:
    """Say that a login is of no use because that server is ours."""
    return ConfigurationError(
        f"{TITLES[name]} is started by this project, so it needs no login of yours.",
        f"To use one that exists, set url under [{name}] in airfoil.toml first.",
    )


def stored_file(project: Project) -> Path:
    """Where `airfoil connections set` keeps logins."""
    return project.state / "logins.json"


def running_file(project: Project) -> Path:
    """Where `up` leaves the logins of the running platform."""
    return project.run / "logins.json"


def _row(server: Server) -> dict[str, str]:
    row = asdict(server)
    return {key: row[key] for key in ("url", "username", "password")}


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Return what a file holds; an absent one holds nothing, a damaged one is an error: it was a person's work."""
    try:
        found: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError:
        found = None  # the decoder's error carries the text, and the text holds passwords
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise StorageError(
            f"{path} is damaged.", f"Remove it (`rm '{path}'`), then give the login again, or `airfoil up`."
        )
    return {name: {key: str(value) for key, value in row.items()} for name, row in found.items()}
