import pytest

from airfoil import __version__
from airfoil.cli import app, passthrough
from airfoil.cli.context import Invocation
from airfoil.cli.entry import run_command_line

pytestmark = pytest.mark.unit


def test_without_a_command_it_prints_help(airfoil):
    outcome = airfoil()

    assert outcome.code == 0
    assert outcome.out == airfoil("--help").out
    for line in ("  up           Start the platform", "Tools, inside the platform's environment:"):
        assert line in outcome.out


def test_each_command_stands_in_one_section():
    listed = [name for names in app.SECTIONS.values() for name in names]
    registered = [
        command.name or getattr(command.callback, "__name__", "") for command in app.app.registered_commands
    ]
    registered += [str(group.name) for group in app.app.registered_groups]

    assert sorted(listed) == sorted(registered)
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("arguments", [("--version",), ("--version", "nonsense"), ("-h",)])
def test_version_and_help_come_before_everything(airfoil, arguments):
    outcome = airfoil(*arguments)

    assert outcome.code == 0
    assert outcome.out == f"airfoil {__version__}\n" or outcome.out.startswith("Usage: airfoil")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["up", "--debug"], ["--debug", "up"]),
        (["status", "--project", "x y", "--json"], ["--project", "x y", "status", "--json"]),
        (["status", "--project=x"], ["--project=x", "status"]),
        (
            ["--debug", "run", "a", "--project", "b", "--", "--debug"],
            ["--debug", "--project", "b", "run", "a", "--", "--debug"],
        ),
        (["--project", "airflow", "run", "--debug"], ["--project", "airflow", "--debug", "run"]),
        (["airflow", "dags", "list", "--debug", "--project", "x"], None),
        (["--project", "x", "mlflow", "--debug", "--", "--debug"], None),
        (["up", "--project"], ["--project", "up"]),
        (["--debug"], None),
        ([], None),
    ],
)
def test_global_options_may_stand_anywhere(given, expected):
    assert app.hoist_global_options(list(given)) == (given if expected is None else expected)


def test_global_options_reach_the_command(project, tmp_path, monkeypatch, stack, capsys):
    monkeypatch.chdir(tmp_path)
    invocation = Invocation(stack=stack)

    code = run_command_line(["down", "--project", str(project.root), "--debug"], invocation=invocation)

    assert (code, capsys.readouterr().out) == (0, "Not running.\n")
    assert (invocation.debug, invocation.start) == (True, project.root)


def test_a_missing_project_option_value_is_wrong_usage(airfoil):
    assert airfoil("--project").code == 2


def test_the_tools_are_commands():
    assert set(passthrough.TOOLS) == set(passthrough.HELP)
