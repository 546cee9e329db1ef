"""What `up` and `demo` end with: where everything is, how to log in, what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airfoil.cli import console
from airfoil.errors import AirfoilError
from airfoil.stack import secrets, servers

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

TITLES = {"api-server": "Airflow", "mlflow": "MLflow", "page": "Status page"}
FIRST_DAGS = ("first_dag", "simple_test_dag")
"""What to run first, where it is there."""


def show_addresses(project: Project, settings: Settings, state: StackState) -> None:
    """Print addresses and logins."""
    known = secrets.load(project)
    place = f"kept in {project.secrets.relative_to(project.root)}"
    logins = {"api-server": f"login {secrets.AIRFLOW_ADMIN} / {known.admin_password}  ({place})"}
    if settings.mlflow.auth:
        logins["mlflow"] = f"login {secrets.MLFLOW_ADMIN} / {known.mlflow_admin_password}"
    found = [
        (TITLES.get(row.name, row.title), row.url, logins.get(row.name, ""))
        for row in state.services
        if row.url
    ]
    found = [*_borrowed(project, state), *found]
    title_width = max((len(title) for title, _, _ in found), default=0)
    url_width = max((len(url) for _, url, _ in found), default=0)
    for title, url, login in found:
        console.out(
            f"  {title:<{title_width}}  {console.styled(f'{url:<{url_width}}', 'cyan')}  {login}".rstrip()
        )
    for sentence in _troubles(project, state):
        console.note(f"{console.styled('Warning:', 'yellow')} {sentence}")
    for name in _kept(project):
        console.note(
            f"{console.styled('Note:', 'yellow')} {name} was changed by hand and stays so, though settings changed; "
            f"`airfoil connections delete {name}` and `airfoil up` bring ours back."
        )
    for notice in state.notices:
        console.note(f"{console.styled('Note:', 'yellow')} {notice}")


def _borrowed(project: Project, state: StackState) -> list[tuple[str, str, str]]:
    """List the servers that existed before us."""
    found = []
    for name, server in servers.settled(project).items():
        if name in state.foreign:
            login = f", login {server.username}" if server.username else ""
            found.append((server.title, server.url, f"not ours{login}"))
    return found


def _troubles(project: Project, state: StackState) -> list[str]:
    """Say what keeps us from working with servers that are not ours; the rest of the platform runs all the same."""
    from airfoil.stack import introduction

    found = []
    for name, server in servers.settled(project).items():
        if name in state.foreign:
            try:
                introduction.meet(server)
            except AirfoilError as error:
                found.append(f"{error} {error.next_move}".strip())
    return found


def _kept(project: Project) -> list[str]:
    """List the connections that a person changed and the settings would have changed, too."""
    try:
        found = json.loads((project.airflow_home / "applied.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    kept = found.get("kept") if isinstance(found, dict) else None
    return [str(name) for name in kept] if isinstance(kept, list) else []


def next_command(project: Project, settings: Settings) -> str:
    """Suggest what to type next."""
    folder = project.root / settings.airflow.dags
    found = [dag for dag in FIRST_DAGS if not settings.airflow.url and (folder / f"{dag}.py").exists()]
    return f"airfoil run {found[0]}" if found else "airfoil status"
