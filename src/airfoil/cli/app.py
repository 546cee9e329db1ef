"""The tree of commands and the global options. Command modules import nothing heavy at their top."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from airfoil.cli import (
    add,
    backup,
    browse,
    check,
    clean,
    connections,
    console,
    data,
    demo,
    deploy,
    doctor,
    env,
    init,
    logs,
    models,
    moving_in,
    new,
    passthrough,
    platform,
    reset,
    restart,
    retry,
    run,
    target,
    variables,
    version,
)
from airfoil.cli.context import Invocation

SECTIONS = {
    "Platform": (
        *("up", "down", "restart", "status", "logs", "open", "backup", "deploy", "target", "clean", "reset"),
    ),
    "Work": ("run", "retry", "models", "import", "demo"),
    "Project": (
        "init",
        "add",
        "new",
        "check",
        "data",
        "connections",
        "variables",
        "env",
        "doctor",
        "version",
    ),
    "Tools, inside the platform's environment": passthrough.TOOLS,
}
GLOBAL_FLAGS = frozenset({"--debug"})
GLOBAL_VALUES = frozenset({"--project"})


def hoist_global_options(arguments: list[str]) -> list[str]:
    """Move global options that stand behind the command to the front, where click looks for them.

    What follows a pass-through command is not ours and stays as it is.
    """
    command = _command_position(arguments)
    if command is None or arguments[command] in passthrough.TOOLS:
        return arguments
    front, rest = arguments[:command], []
    remaining = iter(arguments[command:])
    for argument in remaining:
        if argument == "--":
            rest.append(argument)
            break
        if argument in GLOBAL_FLAGS or argument.partition("=")[0] in GLOBAL_VALUES:
            front.append(argument)
            if argument in GLOBAL_VALUES:
                front.extend([value for value in [next(remaining, None)] if value is not None])
        else:
            rest.append(argument)
    return [*front, *rest, *remaining]


def _command_position(arguments: list[str]) -> int | None:
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        if argument in GLOBAL_VALUES:
            position += 2
        elif argument.startswith("-"):
            position += 1
        else:
            return position
    return None


class AirfoilGroup(TyperGroup):
    """Commands in sections; global options anywhere."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, after moving global options to the front."""
        return super().parse_args(ctx, hoist_global_options(args))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands in sections, each line as long as the terminal allows."""
        width = max(len(name) for names in SECTIONS.values() for name in names)
        for title, names in SECTIONS.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name.ljust(width), command.get_short_help_str(90)) for name, command in found if command]
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    cls=AirfoilGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    """Answer --version before anything else is looked at."""
    if wanted:
        version.print_short()
        raise typer.Exit


@app.callback(invoke_without_command=True)
def airfoil(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The project to work on (default: the one you are in)."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - answered by its callback
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Airflow, MLflow and Feast as one platform, started by one command."""
    invocation = context.ensure_object(Invocation)
    invocation.debug = debug
    invocation.start = project
    if context.invoked_subcommand is None:
        console.out(context.get_help())


app.command()(platform.up)
app.command()(platform.down)
app.command(help=platform.STATUS_HELP)(platform.status)
app.command()(logs.logs)
app.command()(restart.restart)
app.command("open")(browse.open_page)
app.add_typer(backup.app, name="backup")
app.add_typer(deploy.app, name="deploy")
app.command()(clean.clean)
app.add_typer(target.app, name="target")
app.command()(reset.reset)
app.command()(run.run)
app.command()(retry.retry)
app.add_typer(models.app, name="models")
app.add_typer(moving_in.app, name="import")
app.command()(demo.demo)
app.command()(init.init)
app.command()(add.add)
app.command()(check.check)
app.add_typer(data.app, name="data")
app.add_typer(connections.app, name="connections")
app.add_typer(variables.app, name="variables")
app.command()(env.env)
app.add_typer(new.app, name="new")
app.command()(doctor.doctor)
app.command("version")(version.version)
for tool in passthrough.TOOLS:
    passthrough.register(app, tool)
