"""What `up` and `demo` end with: where everything is, how to log in, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.cli import console
from airfoil.stack import secrets

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
        logins["mlflow"] = f"login {secrets.AIRFLOW_ADMIN} / {known.mlflow_admin_password}"
    found = [
        (TITLES.get(row.name, row.title), row.url, logins.get(row.name, ""))
        for row in state.services
        if row.url
    ]
    title_width = max((len(title) for title, _, _ in found), default=0)
    url_width = max((len(url) for _, url, _ in found), default=0)
    for title, url, login in found:
        console.out(
            f"  {title:<{title_width}}  {console.styled(f'{url:<{url_width}}', 'cyan')}  {login}".rstrip()
        )
    for notice in state.notices:
        console.note(f"{console.styled('Note:', 'yellow')} {notice}")


def next_command(project: Project, settings: Settings) -> str:
    """Suggest what to type next."""
    folder = project.root / settings.airflow.dags
    found = [dag for dag in FIRST_DAGS if (folder / f"{dag}.py").exists()]
    return f"airfoil run {found[0]}" if found else "airfoil status"
