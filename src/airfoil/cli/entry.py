"""From arguments to an exit code: the one place where errors become sentences.

0 done, 1 failed, 2 wrong usage, 3 not running (`status`), 130 interrupted. No traceback without --debug.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, cast

from airfoil.cli import console
from airfoil.errors import AirfoilError, InternalError, NeighbourError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airfoil.cli.context import Invocation

WINDOWS_SENTENCE = (
    "Airfoil does not run on native Windows; use it inside WSL2 (https://learn.microsoft.com/windows/wsl)."
)


def run_command_line(
    arguments: Sequence[str], *, platform: str = sys.platform, invocation: Invocation | None = None
) -> int:
    """Run one command; whatever happens, end with an exit code and at most a few lines."""
    if platform == "win32":
        console.note(WINDOWS_SENTENCE)
        return console.FAILURE
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            # A log line that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _dispatch(arguments, invocation)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return console.FAILURE
    return code


def _dispatch(arguments: Sequence[str], given: Invocation | None) -> int:
    from airfoil.cli.app import app
    from airfoil.cli.context import Invocation

    invocation = given or Invocation()
    try:
        # An integer is what typer.Exit carried; a command that simply ends gives None.
        result = app(args=list(arguments), prog_name="airfoil", standalone_mode=False, obj=invocation)
        if result == console.INTERRUPTED:
            return _interrupted("")
        return result if isinstance(result, int) else console.SUCCESS
    except console.Interruption as interruption:
        return _interrupted(str(interruption))
    except AirfoilError as error:
        return _failure(error, error, debug=invocation.debug)
    except KeyboardInterrupt:
        return _interrupted("")
    except SystemExit as error:  # typer ends like this on a closed pipe
        return error.code if isinstance(error.code, int) else console.FAILURE
    except Exception as error:  # noqa: BLE001 - nobody is behind us: a bug must end as a sentence, too
        if hasattr(error, "format_message"):  # click's and typer's usage errors share no public base class
            return _usage(error)
        return _failure(_translated(error), error, debug=invocation.debug)


def _translated(error: Exception) -> AirfoilError:
    """Word what no command has worded."""
    if isinstance(error, OSError):
        return NeighbourError(f"The system refused: {error}.", "Look for the reason: `airfoil doctor`.")
    return InternalError(
        f"Airfoil has a bug: {type(error).__name__}: {error}.",
        "Run the same command with --debug and report what it prints.",
    )


def _interrupted(what_continues: str) -> int:
    console.note(f"\nInterrupted. {what_continues}".rstrip())
    return console.INTERRUPTED


def _failure(error: AirfoilError, origin: Exception, *, debug: bool) -> int:
    if debug:
        import traceback

        console.note("".join(traceback.format_exception(origin)).rstrip())
    console.show_error(error)
    return console.FAILURE


def _usage(error: Exception) -> int:
    """Print a usage error as one sentence and where to read more."""
    sentence = str(error.format_message())  # type: ignore[attr-defined]
    end = "" if sentence.endswith((".", "?", "!")) else "."
    console.note(f"{console.styled('Error:', 'red', sys.stderr)} {sentence}{end}")
    context = getattr(error, "ctx", None)
    console.note(f"Try '{context.command_path if context else 'airfoil'} --help'.")
    return cast("int", getattr(error, "exit_code", console.USAGE))


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about the closed pipe once more while it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
