"""`airfoil up`, `down` and `status`."""

import sys
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

# mlflow-skinny, which workers that save models have, says nothing about the platform.
PLATFORM_DISTRIBUTIONS = ("mlflow", "uvicorn", "starlette")
STATUS_HELP = """Show what runs, the latest DAG runs and what is wrong.

Exit code: 0 ready, 1 starting, degraded or failed, 3 not running.

--json prints the object that the status page serves at /api/status: schema (1), now, headline, problems [severity,
subject, message, next_move, url], stack [phase, started_at, ready_at, ...], services [name, state, since, restarts,
memory_mib, url, ...], memory_mib and start_seconds [actual, budget], airflow [runs, import_errors, error], mlflow
[runs, models, error]. Times are epoch seconds; what is not known is null; keys are only ever added. stack is null when
nothing runs. With --watch: one object per line.
"""


def require_platform_libraries() -> None:
    """Say how to install what the base install leaves out."""
    missing = [name for name in PLATFORM_DISTRIBUTIONS if not _is_installed(name)]
    if missing:
        raise ConfigurationError(
            f"The platform's libraries are not installed ({', '.join(missing)}).",
            "Install them: `pip install 'airfoil[stack]' -c \"$(airfoil version --constraints)\"`.",
        )


def up(
    context: typer.Context,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what would be started and why; start nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --explain: print one JSON object.")] = False,
) -> None:
    """Start the platform and wait until it is ready.

    What runs already is left alone; changed settings are applied.
    """
    if as_json and not explain:
        raise typer.BadParameter("--json goes with --explain; `airfoil status --json` tells what runs")
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    settings = invocation.settings(project)
    if explain:
        from airfoil.cli import explain as explanation

        explanation.show(project, settings, as_json=as_json)
        return
    state = start_platform(invocation, project, settings)

    from airfoil.cli import summary

    summary.show_addresses(project, settings, state)
    console.out(f"\nNext: {summary.next_command(project, settings)}")


def start_platform(invocation: Invocation, project: "Project", settings: "Settings") -> "StackState":
    """Start the platform and show how it comes up."""
    require_platform_libraries()
    _install_packages(project)

    from airfoil.cli import snapshot_note
    from airfoil.cli.progress import Progress
    from airfoil.stack.page import wording

    kept_before = snapshot_note.newest(project)
    goes_on = "What was started goes on starting: `airfoil status` shows it, `airfoil down` stops it."
    with console.interruptible(goes_on), Progress("ready") as progress:
        try:
            state = invocation.platform.up(project, settings, progress)
        finally:
            snapshot_note.tell(project, kept_before)
    if progress.has_shown:
        console.out(f"\nReady in {wording.duration(progress.seconds)}.\n")
    else:
        uptime = progress.began - (state.ready_at or progress.began)
        console.out(f"Already running for {wording.duration(uptime)}.\n")
    return state


def _install_packages(project: "Project") -> None:
    """Bring what is installed in line with the project's locks; offline, the platform starts all the same."""
    if not project.locks():
        return
    from airfoil.cli import waiting
    from airfoil.stack.packages import changes

    change, problem = changes.bring_up_to_date(project, waiting.shown)
    if change:
        console.note(", ".join((*change.installed, *(f"without {name}" for name in change.removed))))
    if problem:
        console.note(f"{console.styled('Note:', 'yellow', sys.stderr)} {problem}")


def down(
    context: typer.Context,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Also remove everything the platform wrote (.airfoil); asks first."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --purge: do not ask.")] = False,
) -> None:
    """Stop the platform; nothing is lost."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()
    if purge:
        from airfoil.cli import reset

        reset.purge(invocation, project, yes=yes)
        return

    from airfoil.cli.progress import Progress
    from airfoil.stack.page import wording

    goes_on = "What was told to stop goes on stopping; `airfoil down` waits for it."
    with console.interruptible(goes_on), Progress("stopped") as progress:
        was_running = invocation.platform.down(project, progress)
    console.out(f"Stopped in {wording.duration(progress.seconds)}." if was_running else "Not running.")


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every other second until Ctrl-C.")
    ] = False,
) -> None:
    """Show what runs, the latest DAG runs, and what is wrong."""
    invocation = context.ensure_object(Invocation)
    project = invocation.project()

    from airfoil.cli import passthrough, status_view
    from airfoil.stack import target

    chosen = target.active(project)
    if chosen is not None:
        if watch:
            raise typer.BadParameter(f"a Compose server is watched on its page: {chosen.url}/status/")
        console.note(f"{chosen.url}, from {chosen.folder}:")
        passthrough.start_compose(chosen, "ps", *(("--format", "json") if as_json else ()))

    picture = status_view.Picture(invocation, project)
    with console.interruptible("The platform is not affected."):
        try:
            if watch:
                status_view.watch(picture, as_json=as_json, sleep=invocation.sleep)
            found = picture.take()
        finally:
            picture.close()
    if as_json:
        console.emit_json(found.to_dict())
    else:
        status_view.show(found)
    raise typer.Exit(status_view.exit_code(found))


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
