"""`airfoil backup schedule`: backups that nobody has to think of, taken by the DAG platform_backup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project

DAG_FILE = "platform_backup.py"
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def schedule(
    context: typer.Context,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="Every day at this time (UTC).")] = "",
    to: Annotated[
        str,
        typer.Option("--to", metavar="PLACE", help="A folder or s3://BUCKET/PREFIX; kept in airfoil.toml."),
    ] = "",
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file", metavar="FILE", help="Where the passphrase is read; kept in airfoil.toml."
        ),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="No more by itself.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, schedule, place, passphrase_file.")
    ] = False,
) -> None:
    """Say when backups are taken by themselves: without options, as it stands; --at HH:MM, --off.

    The DAG platform_backup takes them and tries each one out. Nobody can be asked for a passphrase at night, so it has
    to be in a file that only you may read.
    """
    if off and (at or to or from_file):
        raise typer.BadParameter("--off stands alone")
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    wanted = _wanted(settings, at, to, from_file, off=off)
    if wanted:
        _refuse_without_passphrase(
            str(wanted.get("passphrase_file", settings.backup.passphrase_file)), off=off
        )
        settings = _change(invocation, project, wanted)
    if as_json:
        console.emit_json(
            {
                "schema": 1,
                "schedule": settings.backup.schedule,
                "place": settings.backup.place or str(project.root / "backups"),
                "passphrase_file": settings.backup.passphrase_file,
            }
        )
    else:
        _tell(project, settings, changed=bool(wanted))


def _wanted(
    settings: Settings, at: str, to: str, from_file: Path | None, *, off: bool
) -> dict[str, str | None]:
    """Return what is to stand under [backup]; None takes a key out."""
    if off:
        return {"schedule": None}
    wanted: dict[str, str | None] = {}
    if at:
        clock = _CLOCK.fullmatch(at)
        if not clock:
            raise typer.BadParameter(f"'{at}' is no time of day; write --at 01:30")
        wanted["schedule"] = f"{int(clock[2])} {int(clock[1])} * * *"
    if to:
        wanted["place"] = to if "://" in to else str(Path(to).expanduser().absolute())
    if from_file is not None:
        wanted["passphrase_file"] = str(from_file.expanduser().absolute())
    if wanted and not at and not settings.backup.schedule:
        raise typer.BadParameter("say when: --at 01:30")
    return wanted


def _refuse_without_passphrase(file: str, *, off: bool) -> None:
    from airfoil.cli.secret_input import read_secret
    from airfoil.stack.backup import sealing

    if off:
        return
    if not file:
        raise ConfigurationError(
            "At night nobody can be asked for the passphrase of a backup.",
            "Write one into a file that only you may read, keep it somewhere else too, and name the file: "
            "--passphrase-file FILE.",
        )
    sealing.check_passphrase(read_secret("Passphrase of the backup", None, Path(file), ()))


def _change(invocation: Invocation, project: Project, wanted: dict[str, Any]) -> Settings:
    """Write the settings, and the DAG file if there is none."""
    from airfoil.cli import templates
    from airfoil.cli.init import write_new
    from airfoil.settings.editing import with_values
    from airfoil.stack.storage import write_shared

    text = project.toml.read_text(encoding="utf-8")
    write_shared(project.toml, with_values(text, "backup", wanted))
    settings = invocation.settings(project)
    write_new(project.root / settings.airflow.dags / DAG_FILE, templates.shipped_dag(DAG_FILE))
    return settings


def _tell(project: Project, settings: Settings, *, changed: bool) -> None:
    found = settings.backup
    if not found.schedule:
        console.out("No backup is taken by itself. Begin: airfoil backup schedule --at 01:30")
        return
    place = found.place or f"{project.root / 'backups'}, on the same disk as the project"
    console.out(f"Backups by the DAG platform_backup, at '{found.schedule}' (UTC), into {place}.")
    console.out(f"The passphrase is read from {found.passphrase_file}. Keep it somewhere else, too.")
    if changed:
        console.out("Next: airfoil up")
