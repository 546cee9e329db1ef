"""How a secret comes in: from a variable, a file, a pipe, or typed without echo. Never from an argument.

What is typed as an argument stays in the shell's history and is seen in the list of processes.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FROM_ENV = "--from-env"


class SecretCommand(TyperCommand):
    """A command whose `--from-env` may stand without a value: the usual variables are looked for then."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write `--from-env` without a value as `--from-env=`."""
        following = [*args[1:], "-"]
        bare = [
            word == FROM_ENV and after.startswith("-") for word, after in zip(args, following, strict=True)
        ]
        return super().parse_args(
            ctx, [f"{FROM_ENV}=" if alone else word for word, alone in zip(args, bare, strict=True)]
        )


def is_given(from_env: str | None, from_file: Path | None) -> bool:
    """Tell whether the value comes from elsewhere than a person at a terminal."""
    return from_env is not None or from_file is not None or not sys.stdin.isatty()


def read_secret(prompt: str, from_env: str | None, from_file: Path | None, usual: Sequence[str]) -> str:
    """Return the value; `usual` are the variables that a bare --from-env looks for."""
    if from_env is not None and from_file is not None:
        raise ConfigurationError("--from-env and --from-file exclude each other.", "Give one of them.")
    if from_env is not None:
        return _from_environment([from_env] if from_env else usual)
    if from_file is not None:
        return _from_file(from_file)
    if not sys.stdin.isatty():
        return _trimmed(sys.stdin.read(), "What came through the pipe")
    return _trimmed(getpass.getpass(f"{prompt}: "), "What was typed")


def _from_environment(names: Sequence[str]) -> str:
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise ConfigurationError(
        f"The environment has no {' and no '.join(names)}.",
        f"Export it, or name another: `{FROM_ENV} VARIABLE`.",
    )


def _from_file(file: Path) -> str:
    try:
        return _trimmed(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{file} cannot be read: {reason}.", "Name another file.") from error


def _trimmed(text: str, where: str) -> str:
    """Drop the line end that editors and `echo` add, and nothing else."""
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigurationError(f"{where} is empty.", "Give the value again.")
    return value
