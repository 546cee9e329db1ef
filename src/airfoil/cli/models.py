"""`airfoil models list|show|history|at|promote|rollback`: which version counts, which one did, and who moved it."""

from __future__ import annotations

import contextlib
import getpass
import time
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.clients.ledger import Ledger
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.records import LedgerEntry

CHAMPION = "champion"
app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Models: versions, aliases, and who moved them when."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model.")]
Alias = Annotated[str, typer.Option(metavar="ALIAS", help="The alias.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the ledger.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: schema, models.")] = False,
) -> None:
    """List models with their newest version and where their aliases stand."""
    with registry(context) as (http, _):
        from airfoil.cli import model_tables
        from airfoil.clients.model_registry import models

        found = http.do(models())
        rows = [model_tables.model_row(one, http.server.uri) for one in found]
    if as_json:
        console.emit_json({"schema": 1, "models": rows})
    elif rows:
        model_tables.print_models(rows)
    else:
        console.out("No model is registered.")


@app.command("show")
def show(
    context: typer.Context,
    name: Name,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object: schema, model, url, aliases, versions, verdicts."
        ),
    ] = False,
) -> None:
    """Show a model's aliases with their last move, and its versions with verdict and run."""
    with registry(context) as (http, ledger):
        from airfoil.cli import model_tables
        from airfoil.clients.claims import Claims
        from airfoil.clients.model_registry import RegisteredModel, model, versions
        from airfoil.clients.verdicts import verdicts

        found = http.do(model(name))
        judged = http.do(verdicts(Claims(), name))
        if found is None:
            if not judged:
                raise _unknown(name)
            found = RegisteredModel(name, {})  # no candidate was good enough yet
        histories = http.do(ledger.histories(name))
        shown = model_tables.model_view(
            found,
            http.do(versions(name)),
            {alias: history for (_, alias), history in histories.items()},
            http.server.uri,
        )
        shown["verdicts"] = [model_tables.verdict_row(one, http.server.uri) for one in judged]
    if as_json:
        console.emit_json({"schema": 1, **shown})
    else:
        model_tables.print_model(shown)


@app.command("history")
def history(
    context: typer.Context,
    name: Name,
    alias: Annotated[str, typer.Option(metavar="ALIAS", help="Only this alias.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, model, entries.")
    ] = False,
) -> None:
    """Print who moved which alias of a model when and why, the newest last."""
    with registry(context) as (http, ledger):
        from airfoil.cli import model_tables
        from airfoil.clients.history import no_ledger

        histories = http.do(ledger.histories(name))
        entries = [
            http.do(ledger.whole(entry)) if as_json else entry
            for (_, one), history in histories.items()
            for entry in history.entries
            if alias in {"", one}
        ]
    if not entries:
        raise no_ledger(name, alias or CHAMPION)
    entries.sort(key=lambda entry: (entry.at, entry.alias, entry.number))
    if as_json:
        console.emit_json({"schema": 1, "model": name, "entries": [entry.to_json() for entry in entries]})
    else:
        model_tables.print_entries(entries)


@app.command("at")
def at(
    context: typer.Context,
    date: Annotated[
        str,
        typer.Argument(metavar="DATE", help="2026-11-20 (its end), or 2026-11-20 14:00; your own time zone."),
    ],
    model: Annotated[str, typer.Option(metavar="NAME", help="Only this model.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, at, aliases.")
    ] = False,
) -> None:
    """Tell which version each alias stood at, at a moment."""
    from airfoil.cli import dates, model_tables

    try:
        typed = dates.parse_date(date)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    moment = typed.end(model_tables.zone_of(typed.moment))
    with registry(context) as (http, ledger):
        histories = http.do(ledger.histories(model))
    if as_json:
        rows = [model_tables.standing_row(entry) for entry in model_tables.standing_at(histories, moment)]
        console.emit_json({"schema": 1, "at": moment.isoformat(), "aliases": rows})
    else:
        model_tables.print_standing_at(histories, moment)


@app.command("promote")
def promote(
    context: typer.Context,
    name: Name,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Its version: 5 or v5.")],
    alias: Alias = CHAMPION,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, moved, entry. Needs --yes.")
    ] = False,
) -> None:
    """Point an alias at a version, after asking; who, when and why go into the ledger.

    If somebody else moves the alias while you are asked, nothing is done.
    """
    number = _number(version)
    with registry(context) as (http, ledger):
        from airfoil.clients.ledger import check_alias
        from airfoil.clients.model_registry import version as version_exists

        check_alias(alias)
        if http.do(version_exists(name, number)) is None:
            raise NotFoundError(
                f"Model {name} has no version {number}.", f"See `airfoil models show {name}`."
            )
        head = http.do(ledger.reconcile(name, alias))
        stands = head.to_version if head else None
        if stands != number:
            _ask(
                f"{alias} of {name}: {_spoken(stands)} → version {number}. Move it?", yes=yes, as_json=as_json
            )
        entry = http.do(
            ledger.move(name, alias, number, expected=stands, who=getpass.getuser(), reason=reason)
        )
    _say_moved(entry, moved=entry != head, as_json=as_json)


@app.command("rollback")
def rollback(
    context: typer.Context,
    name: Name,
    alias: Alias = CHAMPION,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, moved, entry. Needs --yes.")
    ] = False,
) -> None:
    """Point an alias back at the version that counted before, after asking; again goes one further back."""
    with registry(context) as (http, ledger):
        head = http.do(ledger.reconcile(name, alias))
        if head is None:
            from airfoil.clients.history import no_ledger

            raise no_ledger(name, alias)
        earlier = http.do(ledger.earlier_version(name, alias))
        _ask(
            f"{alias} of {name}: {_spoken(head.to_version)} → version {earlier}. Move it back?",
            yes=yes,
            as_json=as_json,
        )
        entry = http.do(
            ledger.rollback(name, alias, who=getpass.getuser(), reason=reason, expected=head.to_version)
        )
    _say_moved(entry, moved=True, as_json=as_json)


@contextlib.contextmanager
def registry(context: typer.Context) -> Iterator[tuple[MlflowHttp, Ledger]]:
    """Reach the running platform's MLflow."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    state = invocation.running(project)

    from airfoil.clients.claims import Claims
    from airfoil.clients.ledger import Ledger

    with invocation.mlflow_http(project, invocation.settings(project), state) as http:
        yield http, Ledger(Claims(), time.time)


def _number(text: str) -> int:
    digits = text.removeprefix("v")
    if not (digits.isascii() and digits.isdigit()) or int(digits) == 0:
        message = f"{text!r} is not a version; write 5 or v5"
        raise typer.BadParameter(message)
    return int(digits)


def _ask(question: str, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json:
        raise ConfigurationError(
            "Nothing was moved: --json does not ask.", "Add --yes if that is what you want."
        )
    console.require_yes(question, "Nothing was moved")


def _say_moved(entry: LedgerEntry, *, moved: bool, as_json: bool) -> None:
    if as_json:
        console.emit_json({"schema": 1, "moved": moved, "entry": entry.to_json()})
    elif moved:
        console.out(
            f"{entry.alias} of {entry.model} is at version {entry.to_version} (entry {entry.number})."
        )
        console.out(f"Back again: airfoil models rollback {entry.model} --alias {entry.alias}")
    else:
        console.out(f"{entry.alias} of {entry.model} is at version {entry.to_version} already.")


def _spoken(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"There is no model {name}.", "See `airfoil models list`.")
