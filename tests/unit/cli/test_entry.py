"""Exit codes and sentences, through the same door as the shell."""

import os
import subprocess
import sys

import pytest

from airfoil.cli import app as tree
from airfoil.errors import NeighbourError

pytestmark = pytest.mark.unit

HEAVY = ("httpx", "pydantic", "rich", "airflow", "mlflow", "feast", "psutil", "asyncio", "airfoil.settings")


def fail_with(monkeypatch, error):
    """Let `airfoil version` end like this."""

    def print_version():
        raise error

    monkeypatch.setattr("airfoil.cli.version.print_short", print_version)


def test_an_error_is_a_sentence_a_next_move_and_exit_code_1(airfoil, monkeypatch):
    fail_with(monkeypatch, NeighbourError("MLflow ended.", "airfoil logs mlflow"))

    outcome = airfoil("version")

    assert (outcome.code, outcome.out, outcome.err) == (1, "", "Error: MLflow ended.\nairfoil logs mlflow\n")


def test_debug_shows_the_traceback_wherever_it_stands(airfoil, monkeypatch):
    fail_with(monkeypatch, NeighbourError("MLflow ended."))

    for arguments in (("--debug", "version"), ("version", "--debug")):
        outcome = airfoil(*arguments)
        assert outcome.err.startswith("Traceback")
        assert outcome.err.endswith("Error: MLflow ended.\n")


def test_a_bug_is_told_without_a_traceback(airfoil, monkeypatch):
    fail_with(monkeypatch, TypeError("oops"))

    outcome = airfoil("version")

    assert outcome.code == 1
    assert outcome.err == (
        "Error: Airfoil has a bug: TypeError: oops.\nRun the same command with --debug and report what it prints.\n"
    )


def test_a_refusal_of_the_system_is_no_bug(airfoil, monkeypatch):
    fail_with(monkeypatch, PermissionError(13, "Permission denied", "/x"))

    outcome = airfoil("version")

    assert outcome.code == 1
    assert outcome.err.startswith("Error: The system refused: [Errno 13] Permission denied: '/x'.\n")


def test_an_unknown_command_suggests_the_nearest(airfoil):
    outcome = airfoil("docter")

    assert outcome.code == 2
    assert outcome.err == "Error: No such command 'docter'. Did you mean 'doctor'?\nTry 'airfoil --help'.\n"


def test_wrong_usage_names_the_commands_own_help(airfoil):
    outcome = airfoil("logs", "-n", "many")

    assert outcome.code == 2
    assert outcome.err.startswith("Error: Invalid value for '-n' / '--lines'")
    assert outcome.err.endswith("Try 'airfoil logs --help'.\n")


def test_ctrl_c_exits_130_with_one_line(airfoil, monkeypatch):
    fail_with(monkeypatch, KeyboardInterrupt())

    outcome = airfoil("version")

    assert (outcome.code, outcome.err) == (130, "\nInterrupted.\n")


@pytest.mark.parametrize("arguments", [("up",), ("--help",), ("init", "x"), ("airflow", "dags"), ()])
def test_native_windows_gets_one_sentence(airfoil, arguments):
    outcome = airfoil(*arguments, platform="win32")

    assert outcome.code == 1
    assert "WSL2" in outcome.err
    assert outcome.err.count("\n") == 1


def run_python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, **options
    )


def test_help_loads_nothing_heavy_and_takes_no_time():
    code = (
        "import sys, time\n"
        "from airfoil.cli.entry import run_command_line\n"
        "code = run_command_line(['--help'])\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(code, str(loaded).replace(' ', ''), round(time.process_time(), 3), file=sys.stderr)"
    )

    done = run_python(code)

    assert done.stdout.startswith("Usage: airfoil [OPTIONS] COMMAND")
    code, loaded, seconds = done.stderr.split()
    assert (code, loaded) == ("0", "[]")
    # Processor time of the whole process: what a busy test machine cannot stretch.
    assert float(seconds) < 0.3


def test_the_module_and_the_script_are_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "airfoil", "--version"], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.startswith("airfoil 0.")


def test_a_closed_pipe_is_quiet():
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "airfoil", "--help"],
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)

    assert done.stderr == b""
    assert done.returncode == 1


def test_a_terminal_that_lacks_a_letter_gets_a_question_mark(tmp_path):
    code = (
        "import sys\nfrom airfoil.cli import console\nfrom airfoil.cli.entry import run_command_line\n"
        "run_command_line(['--version'])\nconsole.out('✓ größe')"
    )

    done = run_python(code, env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "? gr??e")


def test_every_command_has_help_without_a_project(airfoil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [command for names in tree.SECTIONS.values() for command in names]

    for command in commands:
        if command not in ("airflow", "mlflow", "feast"):
            outcome = airfoil(command, "--help")
            assert outcome.code == 0
            assert outcome.out.startswith(f"Usage: airfoil {command}")
