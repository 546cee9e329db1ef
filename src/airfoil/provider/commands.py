"""Airfoil's commands in Airflow's own command line: `airflow airfoil test-alert`.

The list is read by every `airflow` command: nothing is imported before a command runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.cli.cli_config import CLICommand


def commands() -> list[CLICommand]:
    """List the commands."""
    from airflow.cli.cli_config import ActionCommand, GroupCommand, lazy_load_command

    test = ActionCommand(
        name="test-alert",
        help="Send a test alert over every channel that is set",
        func=lazy_load_command("airfoil.provider.commands.send_test_alert"),
        args=(),
    )
    return [GroupCommand(name="airfoil", help="Airfoil's own commands", subcommands=[test])]


def send_test_alert(_: Any = None) -> None:
    """Send a test alert over every channel and say how each went; exit code 1 when one of them failed."""
    from airfoil.errors import AirfoilError
    from airfoil.provider import alert_channels
    from airfoil.provider.notifications.alert import NO_CHANNEL, channels_of, read_connection
    from airfoil.steps.alerts import Alert

    to = alert_channels.recipients()
    found = {name: read_connection(name) for name in alert_channels.wanted_connections(to)}
    channels, problems = channels_of(to, found)
    alert = Alert(
        kind="succeeded", dag_id="A test of alerts", text="Nothing happened: somebody tries the channels."
    )
    for channel in channels:
        try:
            besides = channel.send(alert)
        except AirfoilError as error:
            problems.append(f"{channel.name}: {error.in_full}")
        else:
            print(f"Sent: {channel.name}{f' ({besides})' if besides else ''}")  # noqa: T201 - a command's answer
    if not channels and not problems:
        problems.append(NO_CHANNEL)
    for problem in problems:
        print(problem)  # noqa: T201 - as above
    if problems:
        raise SystemExit(1)
