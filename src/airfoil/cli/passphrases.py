"""Where the passphrase of a backup comes from: a flag's variable or file, the settings, a usual variable, a person.

Never an argument. Must not keep it.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from airfoil.cli.secret_input import read_secret
from airfoil.errors import ConfigurationError

USUAL = "AIRFOIL_BACKUP_PASSPHRASE"
_PROMPT = "Passphrase of the backup"


def known(setting: str, from_env: str | None, from_file: Path | None) -> str:
    """Return the passphrase that a backup was made with."""
    return _given(setting, from_env, from_file) or _asked(twice=False)


def new(setting: str, from_env: str | None, from_file: Path | None) -> str:
    """Return the passphrase for a backup that is to be made; a typed one is asked for twice."""
    return _given(setting, from_env, from_file) or _asked(twice=True)


def _given(setting: str, from_env: str | None, from_file: Path | None) -> str:
    if from_env is not None or from_file is not None:
        return read_secret(_PROMPT, from_env, from_file, (USUAL,))
    if os.environ.get(USUAL):
        return os.environ[USUAL]
    if setting:
        return read_secret(_PROMPT, None, Path(setting), ())
    return ""


def _asked(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "A backup holds secrets, and there is no passphrase for them.",
            f"Set {USUAL}, name a file (`--passphrase-file FILE`, or passphrase_file under [backup]), "
            "or run this in a terminal.",
        )
    found = getpass.getpass(f"{_PROMPT}: ")
    if twice and getpass.getpass("Once more: ") != found:
        raise ConfigurationError("The two are not the same.", "Try again.")
    return found
