"""`airfoil variables list|get|set|init|delete`: Airflow's variables, encrypted by Airflow."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.cli.secret_input import SecretCommand, read_secret
from airfoil.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from airfoil.stack.variable_scan import UsedVariable

OUR_MEMORY = "airfoil_managed"
TEMPLATE = "variables.env.example"
HEADER = "# The Airflow variables that this project's DAGs use, written by `airfoil variables init`. No values here:"
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keep variables: encrypted by Airflow.")


@app.command("list")
def list_(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, variables.")
    ] = False,
) -> None:
    """List variables; no value is shown."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    with invocation.store(project, invocation.settings(project)) as store:
        rows = [row for row in store.variables() if row["key"] != OUR_MEMORY]
    if as_json:
        console.emit_json({"schema": 1, "variables": rows})
    else:
        cells = [(str(row["key"]), console.MASK, str(row["description"] or "")) for row in rows]
        console.table(("KEY", "VALUE", "DESCRIPTION"), cells)


@app.command("get")
def get(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The variable.")],
) -> None:
    """Print the value of a variable, unless its name marks it as a secret."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()

    from airfoil.stack.airflow_store import HIDDEN

    with invocation.store(project, invocation.settings(project)) as store:
        value = store.variable(key)
    if value is None:
        raise _unknown(key)
    if value == HIDDEN:
        raise ConfigurationError(
            f"The value of {key} is not shown, because its name marks it as a secret.",
            f"To change it: `airfoil variables set {key}`.",
        )
    console.out(value)


@app.command("set", cls=SecretCommand)
def set_(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The variable, as DAGs name it.")],
    from_env: Annotated[
        str | None,
        typer.Option(metavar="[VAR]", help="Read it from a variable (default: AIRFLOW_VAR_KEY or KEY)."),
    ] = None,
    from_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read it from a file.")] = None,
) -> None:
    """Create or replace a variable; you are asked for the value without echo, or it comes from a pipe."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()

    from airfoil.stack.connection_uri import check_name

    check_name(key, "variable")
    usual = (f"AIRFLOW_VAR_{key.upper()}", key.upper())
    with console.interruptible("Nothing was changed."):
        value = read_secret(f"Value of {key}", from_env, from_file, usual)
        with invocation.store(project, invocation.settings(project)) as store:
            store.set_variable(key, value)
    console.out(f"{key} is kept, encrypted by Airflow.")


@app.command("delete")
def delete(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The variable.")],
) -> None:
    """Delete a variable."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    with invocation.store(project, invocation.settings(project)) as store:
        if not store.delete_variable(key):
            raise _unknown(key)
    console.out(f"{key} is deleted.")


@app.command("init")
def init(
    context: typer.Context,
    from_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take missing values from lines KEY=VALUE.")
    ] = None,
) -> None:
    """Find the variables that DAGs use, write them down without values, and ask for those that are missing.

    Those of ml_pipeline get what `airfoil up` would give them, and one that is there is left alone.

    Exit code: 1 when one without a default is still missing.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)

    from airfoil.stack.lifecycle_variables import lifecycle_variables, page_url_of
    from airfoil.stack.variable_scan import used_variables

    used = used_variables(project.root, (project.root / settings.airflow.dags, project.root / "src"))
    if not used:
        console.out("No DAG of this project uses a variable whose name can be read from its code.")
        return
    write_template(project.root / TEMPLATE, used)
    given = _values_of(from_file) if from_file else {}
    usual = lifecycle_variables(settings, page_url_of(settings, project))
    with (
        console.interruptible("What was given so far is kept."),
        invocation.store(project, settings) as store,
    ):
        known = {str(row["key"]) for row in store.variables()}
        missing = []
        for key in dict.fromkeys(row.key for row in used):
            if key in known:
                continue
            needed = not all(row.has_default for row in used if row.key == key)
            if not given.get(key) and usual.get(key):
                store.set_variable(key, usual[key])
                console.out(f"{key} is {usual[key]}, until you change it: `airfoil variables set {key}`.")
                continue
            value = given.get(key) or _ask(key, needed=needed)
            if value:
                store.set_variable(key, value)
                console.out(f"{key} is kept, encrypted by Airflow.")
            elif needed:
                missing.append(key)
    console.out(f"{TEMPLATE} names {len({row.key for row in used})} variables.")
    if missing:
        raise ConfigurationError(
            f"These have no value and no default: {', '.join(missing)}.",
            "Give one each: `airfoil variables set KEY`, or all: `airfoil variables init --from-file FILE`.",
        )


def write_template(path: Path, used: list[UsedVariable]) -> None:
    """Write the names and where they are used; a file that somebody else wrote stays."""
    places: dict[str, list[str]] = {}
    for row in used:
        places.setdefault(row.key, []).append(row.place + (" (has a default)" if row.has_default else ""))
    lines = [
        HEADER,
        "# copy it, fill it in outside the repository, then `airfoil variables init --from-file FILE`.",
    ]
    for key, where in places.items():
        lines += ["", f"# {', '.join(where)}", f"{key}="]
    try:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(HEADER):
            raise ConfigurationError(
                f"{path} was not written by this command.", "Move it away, then try again."
            )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", "See `airfoil doctor`."
        ) from error


def _ask(key: str, *, needed: bool) -> str:
    """Ask a person; nobody is there in a script, and an empty answer means later."""
    if not sys.stdin.isatty():
        return ""
    return getpass.getpass(f"Value of {key}{'' if needed else ', which has a default'} (Enter: later): ")


def _values_of(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file} cannot be read.", "Name a text file with lines KEY=VALUE."
        ) from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _unknown(key: str) -> NotFoundError:
    return NotFoundError(f"There is no variable {key}.", "See `airfoil variables list`.")
