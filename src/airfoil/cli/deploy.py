"""`airfoil deploy compose|worker|systemd`: write the files with which a project runs on a server."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Files for a server: rendered for this project, to be read before they are used.",
)
DOCKER = "/usr/bin/docker"
"""Where distributions put it; a unit needs the whole path."""
SYSTEMD_FOLDER = Path("/etc/systemd/system")


@app.command("compose")
def compose_server(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to write (default: deploy/compose of the project)."),
    ] = None,
) -> None:
    """Write the files of a server: Airflow on Celery workers, PostgreSQL, Redis, S3, MLflow, TLS, metrics, in Docker.

    Secrets are made once into .env, readable by you alone. Run again, what you changed there is kept. Starts nothing.
    """
    from airfoil.stack.deploy import compose, env_file

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    target = (folder or project.root / compose.FOLDER).absolute()
    before = (target / env_file.NAME).exists()
    rendering = compose.rendered(project, settings, target, os.environ)
    compose.write(rendering, target)
    console.out(f"Wrote the server's files into {target}; secrets are in .env, readable by you alone.")
    if before:
        console.out("What .env said is kept.")
    console.out("\nNext:")
    console.out(f"  cd {shlex.quote(str(target))}")
    console.out(
        "  sh install.sh                # checks the machine, builds, starts, and tries everything out"
    )
    console.out("Or, by hand:")
    console.out("  docker compose build && docker compose up -d")
    console.out(
        f"\nThen {rendering.url} answers. Log in as {rendering.administrator}; the password is "
        "_AIRFLOW_WWW_USER_PASSWORD in .env."
    )


@app.command("worker")
def remote_worker(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="How the server is to call it.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--server", metavar="DIR", help="The server's files (default: deploy/compose of the project)."
        ),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUEUE", help="A queue it serves; may be repeated (default: all of EDGE_QUEUES)."
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(metavar="N", help="Tasks at once.")] = 4,
    days: Annotated[int, typer.Option(metavar="N", help="How long its token counts.")] = 365,
    remove: Annotated[bool, typer.Option("--remove", help="Refuse its token from now on.")] = False,
) -> None:
    """Write one file with which another host runs a worker of this server. It needs to reach nothing but HTTPS.

    The file holds a token that is good for a worker of this name alone; each call makes a new one.
    """
    from airfoil.stack.deploy import admission, compose

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    target = (folder or project.root / compose.FOLDER).absolute()
    if remove:
        admission.dismiss(target, name)
        console.out(f"The token of {name} is refused from now on. What runs there ends when it next speaks.")
        return
    settings = invocation.settings(project)
    found = admission.admit(
        project,
        settings,
        target,
        os.environ,
        name=name,
        queues=queue or (),
        concurrency=concurrency,
        days=days,
    )
    if found.changes_alerts:
        console.note(
            "Note: alerts take another way than before. If they should not, give AIRFOIL_ALERTS_* again, then run "
            "`airfoil deploy compose`."
        )
    console.out(f"Wrote {found.file}: a worker for the queues {', '.join(found.queues)}. It holds a token.")
    console.out("\nNext:")
    if found.is_first:
        console.out(
            f"  cd {shlex.quote(str(target))} && docker compose up -d     # lets workers of other hosts in"
        )
    console.out(f"  docker save {found.image} | ssh HOST docker load      # or a registry that both reach")
    console.out(f"  scp {shlex.quote(str(found.file))} HOST:")
    console.out(f"  ssh HOST docker compose -f {found.file.name} up -d")
    console.out(f"\nThe host needs to reach {found.url} and nothing else.")


@app.command("systemd")
def systemd(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to write (default: deploy/systemd of the project)."),
    ] = None,
    compose: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The Compose files (default: deploy/compose of the project)."),
    ] = None,
) -> None:
    """Write two units of systemd: one for the embedded stack, one for the Compose stack. Enable one of them.

    Both run as the owner of the project, with no more rights than they need. Nothing is installed.
    """
    from airfoil.stack.deploy import units
    from airfoil.stack.storage import write_shared

    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    target = (folder or project.root / "deploy" / "systemd").absolute()
    compose_folder = (compose or project.root / "deploy" / "compose").absolute()
    owner = units.Owner.of(project.root)
    place = _backups(settings.backup.place, project.root)
    texts = {
        units.EMBEDDED: units.embedded(project, settings, owner, place),
        units.COMPOSE: units.compose(settings, compose_folder, owner, shutil.which("docker") or DOCKER),
    }
    target.mkdir(parents=True, exist_ok=True)
    for stack, text in texts.items():
        write_shared(target / units.name_of(settings, stack), text)
    names = {stack: units.name_of(settings, stack) for stack in texts}
    console.out(f"Wrote {' and '.join(names.values())} into {target}, for the user {owner.name}.")
    if owner.name == "root":
        console.note(
            "Note: they run as root, who owns the project. Better: a user of its own, and `chown -R` of the folder."
        )
    copied = " ".join(shlex.quote(str(target / name)) for name in names.values())
    console.out("\nNext, for the embedded stack (stop it first if it runs: airfoil down):")
    console.out(f"  sudo cp {copied} {SYSTEMD_FOLDER}")
    console.out("  sudo systemctl daemon-reload")
    console.out(f"  sudo systemctl enable --now {names[units.EMBEDDED]}")
    console.out(f"Or, for the Compose stack in {compose_folder}:")
    console.out(f"  sudo systemctl enable --now {names[units.COMPOSE]}")


def _backups(place: str, root: Path) -> Path | None:
    """Return the folder that backups go to; None for a bucket."""
    if "://" in place:
        return None
    return Path(place).expanduser().absolute() if place else root / "backups"
