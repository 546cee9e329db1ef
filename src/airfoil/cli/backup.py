"""`airfoil backup ...`: a copy of everything that only this project has, and the way back."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import backup_into_compose, backup_schedule, console
from airfoil.cli.context import Invocation
from airfoil.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from airfoil.settings import Settings
    from airfoil.stack.backup.place import Place
    from airfoil.stack.project import Project

LATEST = "latest"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Backups: databases, models, secrets; taken while everything runs, and proven to be whole.",
)

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Which backup; how it begins is enough.")]
From = Annotated[
    str,
    typer.Option("--from", metavar="PLACE", help="A folder or s3://BUCKET/PREFIX (default: [backup] place)."),
]
FromEnv = Annotated[
    str | None,
    typer.Option("--passphrase-from-env", metavar="VAR", help="Read the passphrase from this variable."),
]
FromFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Read the passphrase from a file.")
]


@app.command("create")
def create(  # noqa: PLR0913, PLR0917 - each is a flag
    context: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="PLACE", help="A folder or s3://BUCKET/PREFIX (default: [backup] place)."
        ),
    ] = "",
    keep: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many of the latest stay.")] = None,
    keep_daily: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="And one of each day, for so many days.")
    ] = None,
    keep_weekly: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="And one of each week, for so many weeks.")
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Write everything again, whatever lies there: mends a damaged place."),
    ] = False,
    from_env: FromEnv = None,
    from_file: FromFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, backup, removed, freed_bytes.")
    ] = False,
) -> None:
    """Take a backup now; the platform may run meanwhile. What has not changed since the last one is not copied again.

    It holds the databases of Airflow, MLflow and Feast, artifacts, your files, and, under your passphrase, the secrets.
    Backups that are older than [backup] keeps are removed afterwards.
    """
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)

    from airfoil.cli import backup_view, passphrases
    from airfoil.stack import targeted
    from airfoil.stack.backup import retention
    from airfoil.stack.backup.creation import Creation
    from airfoil.stack.backup.sources import artifacts_bucket

    targeted.refuse_upkeep(project, "backup create")
    place = _place(to or settings.backup.place, project)
    bucket = artifacts_bucket(settings)
    passphrase = passphrases.new(settings.backup.passphrase_file, from_env, from_file)
    creation = Creation(
        project,
        settings,
        place,
        passphrase,
        artifacts=_bucket(bucket) if bucket else None,
        anew=anew,
        progress=_progress(quiet=as_json),
    )
    with console.interruptible("No backup was made; the next one goes on from here."):
        made = creation.run()
        stays = retention.Keep(
            settings.backup.keep if keep is None else keep,
            settings.backup.keep_daily if keep_daily is None else keep_daily,
            settings.backup.keep_weekly if keep_weekly is None else keep_weekly,
        )
        pruned = retention.prune(place, made.project, stays, time.time())
    if as_json:
        row = backup_view.row(made)
        console.emit_json(
            {"schema": 1, "backup": row, "removed": list(pruned.names), "freed_bytes": pruned.freed_bytes}
        )
    else:
        backup_view.print_made(made, pruned, place.title, own_disk=_is_inside(place, project))


@app.command("list")
def list_(
    context: typer.Context,
    place: From = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, place, backups.")
    ] = False,
) -> None:
    """List the backups of a place, the newest last. One that was cut off is none, and is not listed."""
    invocation = context.ensure_object(Invocation)
    project, settings = _project(invocation, wanted=not place)

    from airfoil.cli import backup_view
    from airfoil.stack.backup import catalogue

    opened = _source(place, project, settings)
    entries = catalogue.found_in(opened)
    if as_json:
        rows = [backup_view.entry_row(one) for one in entries]
        console.emit_json({"schema": 1, "place": opened.title, "backups": rows})
    elif entries:
        backup_view.print_entries(entries)
    else:
        console.out(f"There is no backup in {opened.title}. Make one: airfoil backup create")


@app.command("verify")
def verify(
    context: typer.Context,
    name: Name = LATEST,
    place: From = "",
    from_env: FromEnv = None,
    from_file: FromFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: schema, backup, passed, findings.")
    ] = False,
) -> None:
    """Try a backup out: restore it into a scratch folder, count, compare, decrypt, load a model and predict.

    Nothing of the project or the backup is changed. Exit code: 0 whole, 1 damaged, with the parts that are.
    """
    invocation = context.ensure_object(Invocation)
    project, settings = _project(invocation, wanted=not place)

    from airfoil.cli import backup_view, passphrases
    from airfoil.stack.backup import catalogue, verification
    from airfoil.stack.backup.objects import Objects

    opened = _source(place, project, settings)
    manifest = catalogue.named(opened, name, settings.project.name if settings else "")
    passphrase = passphrases.known(_passphrase_file(settings), from_env, from_file)
    began = time.monotonic()
    with _scratch(project) as scratch, console.interruptible("Nothing was changed."):
        trial = verification.Verification(
            manifest, Objects(opened), passphrase, scratch, progress=_progress(quiet=as_json)
        )
        findings = []
        for finding in trial.run():
            findings.append(finding)
            if not as_json:
                backup_view.print_finding(finding)
    if as_json:
        console.emit_json(backup_view.verdict(manifest, findings))
        passed = backup_view.passed(findings)
        raise typer.Exit(console.SUCCESS if passed else console.FAILURE)
    verification.refuse_failed(findings)
    console.out(f"\nBackup {manifest.name} is whole ({time.monotonic() - began:.1f} s).")


@app.command("restore")
def restore(  # noqa: PLR0913, PLR0917 - each is a flag
    context: typer.Context,
    name: Name = LATEST,
    place: From = "",
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|compose",
            help="The project to restore into (default: the one you are in), or its Compose server.",
        ),
    ] = None,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Leave your files (DAGs, settings) as they are.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Into a project that has something: it is moved aside.")
    ] = False,
    from_env: FromEnv = None,
    from_file: FromFile = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object: schema, backup, into, databases, files, aside."),
    ] = False,
) -> None:
    """Put a backup into a new folder or an empty project; the platform must not run there.

    A project that holds databases, artifacts or secrets is refused, unless --overwrite: then these are moved aside, and
    nothing is deleted. Where airfoil.toml of that project names PostgreSQL or S3, the backup goes there, also one that
    was taken of SQLite and a folder. Files of yours that are there already stay as they are.
    """
    invocation = context.ensure_object(Invocation)
    to_server = str(into) == backup_into_compose.COMPOSE
    project, settings = _project(invocation, wanted=to_server or not (place and into))
    root = (into or (project.root if project else Path())).absolute()

    from airfoil.cli import backup_view, passphrases
    from airfoil.settings import load
    from airfoil.stack.backup import catalogue
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.restoration import Restoration

    opened = _source(place, project, settings)
    manifest = catalogue.named(opened, name, settings.project.name if settings and not into else "")
    passphrase = passphrases.known(_passphrase_file(settings), from_env, from_file)
    if to_server and project is not None:
        backup_into_compose.restore(
            project, manifest, opened, passphrase, overwrite=overwrite, as_json=as_json
        )
        return
    restoration = Restoration(
        manifest,
        Objects(opened),
        passphrase,
        root,
        load=lambda folder: load(folder, os.environ),
        bucket=_bucket,
        stamp=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        overwrite=overwrite,
        project_files=not without_files,
        progress=_progress(quiet=as_json),
    )
    began = time.monotonic()
    with console.interruptible("Nothing was put in place; what was there is there still."):
        done = restoration.run()
    if as_json:
        console.emit_json(backup_view.restored_row(manifest, done))
    else:
        backup_view.print_restored(manifest, done, time.monotonic() - began)


app.command("schedule")(backup_schedule.schedule)


def _source(named: str, project: Project | None, settings: Settings | None) -> Place:
    """Open the place to read from: the named one, or that of the settings, if there are any."""
    return _place(named or (settings.backup.place if settings else ""), project)


def _passphrase_file(settings: Settings | None) -> str:
    return settings.backup.passphrase_file if settings else ""


def _place(text: str, project: Project | None) -> Place:
    """Open the place that was named, or the project's own."""
    from airfoil.stack.backup.place import FolderPlace

    if "://" in text:
        from airfoil.stack.backup import place_keys

        return _bucket(text, place_keys.environment(os.environ))
    if not text and project is not None:
        return FolderPlace(project.root / "backups")
    return FolderPlace(Path(text).expanduser().absolute())


def _bucket(address: str, environ: Mapping[str, str] = os.environ) -> Place:
    from airfoil.clients.bucket import Bucket

    return Bucket(address, environ)


def _is_inside(place: Place, project: Project) -> bool:
    return Path(place.title).is_relative_to(project.root)


def _project(invocation: Invocation, *, wanted: bool) -> tuple[Project | None, Settings | None]:
    """Find the project; there need be none when everything is named."""
    try:
        project = invocation.project()
    except ProjectError:
        if wanted:
            raise
        return None, None
    return project, invocation.settings(project)


def _progress(*, quiet: bool) -> Callable[[str], AbstractContextManager[None]]:
    from airfoil.cli import waiting
    from airfoil.stack.backup.creation import silent

    return silent if quiet else waiting.shown


def _scratch(project: Project | None) -> AbstractContextManager[Path]:
    """Give a private folder, on the project's disk if there is one: databases may be larger than /tmp."""
    from airfoil.stack.backup import scratch

    if project is not None and project.state.is_dir():
        return scratch.folder(project.state)
    return scratch.folder(Path(tempfile.gettempdir()) / f"airfoil-{os.getuid()}")
