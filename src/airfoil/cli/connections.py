"""`airfoil connections list|set|delete`: Airflow's connections, and our logins at servers that existed before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.cli.secret_input import SecretCommand, is_given, read_secret
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.servers import ServerName

COLUMNS = ("NAME", "TYPE", "HOST", "PORT", "LOGIN", "PASSWORD", "EXTRA", "MADE BY")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keep connections: encrypted by Airflow.")


@app.command("list")
def list_(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, connections, logins.")
    ] = False,
) -> None:
    """List connections; no secret is shown."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    from airfoil.errors import redact
    from airfoil.stack import connections, servers

    with invocation.store(project, settings) as store:
        rows = store.connections()
    logins = [
        {"name": servers.LOGIN_NAMES[name], "url": server.url, "username": server.username}
        for name, server in servers.resolve(settings, project, os.environ).items()
    ]
    for row in rows:
        row["made_by"] = "airfoil" if row["name"] in connections.MANAGED and not settings.airflow.url else ""
        row["host"] = redact(str(row["host"])) if row["host"] else None
    if as_json:
        console.emit_json({"schema": 1, "connections": rows, "logins": logins})
        return
    console.table(COLUMNS, [_cells(row) for row in rows], right=("PORT",))
    for login in logins:
        console.out(
            f"\nLogin at {login['url']}, which is not ours: {login['username'] or 'none'}  ({login['name']})"
        )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(row["name"]),
        str(row["conn_type"] or ""),
        str(row["host"] or ""),
        str(row["port"] or ""),
        console.MASK if row["has_login"] else "",
        console.MASK if row["has_password"] else "",
        ", ".join(row["extra"]),
        row["made_by"],
    )


@app.command("set", cls=SecretCommand)
def set_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection, as DAGs name it.")],
    from_env: Annotated[
        str | None,
        typer.Option(
            metavar="[VAR]", help="Read it from a variable (default: AIRFLOW_CONN_NAME or NAME_URL)."
        ),
    ] = None,
    from_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read it from a file.")] = None,
    conn_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Its type, when you are asked.")
    ] = "",
) -> None:
    """Create or replace a connection.

    An address (postgres://USER:PASSWORD@HOST/NAME) or a JSON object from a variable, a file or a pipe; else you are
    asked for each field. `airflow`, and `mlflow_default` when [mlflow] url is set: the password of our login there.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    with console.interruptible("Nothing was changed."):
        server = login_name(settings, name)
        if server is not None:
            _set_login(project, settings, server, from_env, from_file)
            return
        from airfoil.cli import connection_form
        from airfoil.stack.connection_uri import check_name, parse_connection

        check_name(name)
        if is_given(from_env, from_file):
            usual = (f"AIRFLOW_CONN_{_upper(name)}", f"{_upper(name)}_URL")
            fields = parse_connection(read_secret(name, from_env, from_file, usual))
        else:
            fields = connection_form.ask_fields(conn_type)
        with invocation.store(project, settings) as store:
            store.set_connection(name, fields)
    console.out(f"{name} is kept, encrypted by Airflow.")
    _say_what_becomes_of(name, settings)


@app.command("delete")
def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
) -> None:
    """Delete a connection; one that Airfoil made comes back as Airfoil makes it at the next `up`."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    server = login_name(settings, name)
    if server is not None:
        from airfoil.stack import servers

        if not servers.delete_login(project, server):
            raise NotFoundError(
                f"No login is kept for {server}.", f"Give one: `{servers.login_command(server)}`."
            )
        console.out(f"The login at {server} is forgotten here; what runs keeps it until `airfoil down`.")
        return
    with invocation.store(project, settings) as store:
        if not store.delete_connection(name):
            raise NotFoundError(f"There is no connection {name}.", "See `airfoil connections list`.")
    console.out(f"{name} is deleted.")


def login_name(settings: Settings, name: str) -> ServerName | None:
    """Tell which server's login a name stands for: `airflow` always, `mlflow_default` beside a foreign MLflow."""
    from airfoil.stack import servers

    if name == servers.LOGIN_NAMES["airflow"]:
        if not settings.airflow.url:
            raise servers.not_foreign("airflow")
        return "airflow"
    return "mlflow" if name == servers.LOGIN_NAMES["mlflow"] and settings.mlflow.url else None


def _set_login(
    project: Project, settings: Settings, name: ServerName, from_env: str | None, from_file: Path | None
) -> None:
    from dataclasses import replace

    from airfoil.stack import introduction, servers

    project.prepare()
    server = servers.resolve(settings, project, {})[name]
    username = server.username
    if not username:
        if is_given(from_env, from_file):
            raise ConfigurationError(
                f"Whose password at {server.url} this is, is not known.",
                f"Set {name}.username in airfoil.toml.",
            )
        username = input(f"User name at {server.url}: ").strip()
    prompt = f"Password of {username} at {server.url}"
    password = read_secret(prompt, from_env, from_file, (servers.PASSWORD_VARIABLES[name],))
    server = replace(server, username=username, password=password)
    servers.store_login(project, server)
    console.out(f"The login of {username} at {server.url} is kept in .airfoil, readable by you alone.")
    try:
        version = introduction.meet(server)
    except AirfoilError as error:
        console.note(f"{console.styled('Warning:', 'yellow')} {error} {error.next_move}".rstrip())
    else:
        console.out(f"{server.title} {version} lets you in. `airfoil up` hands the login to tasks.")


def _say_what_becomes_of(name: str, settings: Settings) -> None:
    from airfoil.stack import connections

    if name in connections.MANAGED and not settings.airflow.url:
        console.out(
            f"Airfoil made {name} and leaves yours alone from now on; "
            f"`airfoil connections delete {name}` gives it back."
        )


def _upper(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()
