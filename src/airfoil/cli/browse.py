"""`airfoil open`: Airflow, MLflow or the status page in the browser."""

from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import NeighbourError

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

PAGES = ("airflow", "mlflow", "status")
PASSWORDS = {"airflow": "admin_password", "mlflow": "mlflow_admin_password"}


def open_page(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="[airflow|mlflow|status]", help="What to open (default: airflow).")
    ] = "airflow",
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, open nothing.")] = False,
) -> None:
    """Open Airflow, MLflow or the status page in the browser; print the address where there is none."""
    if what not in PAGES:
        raise typer.BadParameter(f"choose one of {', '.join(PAGES)}", param_hint=f"'{what}'")
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    url, login = find_page(what, project, settings, invocation.running(project))
    console.out(url)
    if login:
        console.note(login)
    if not only_print and not invocation.browse(url):
        console.note("There is no browser here; open the address where you have one.")


def find_page(what: str, project: "Project", settings: "Settings", state: "StackState") -> tuple[str, str]:
    """Give the address of a page, and where its login is (empty when it asks for none)."""
    from airfoil.stack import servers

    if what == "status":
        page = state.service("page")
        if page is None or not page.url:
            raise NeighbourError("This stack has no page with an address.", "See `airfoil status`.")
        return page.url, ""
    if what == "airflow":
        server = servers.airflow_of(project, state)
    else:
        server = servers.mlflow_of(project, state, auth=settings.mlflow.auth)
    if server.foreign or not server.username:
        return server.url, f"Login {server.username}." if server.username else ""
    place = project.secrets.relative_to(project.root)
    return server.url, f"Login {server.username}; the password is {PASSWORDS[what]} in {place}."
