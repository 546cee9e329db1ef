"""Reads AIRFOIL_<SECTION>_<KEY> variables as values of settings.

A variable that can only be a mistyped one is an error: a silent default costs an afternoon. Must not touch os.environ,
it is handed in.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from airfoil.errors import SettingsError
from airfoil.settings.complaints import printable
from airfoil.settings.schema import DOTTED_KEYS, SECTIONS

PREFIX = "AIRFOIL_"
# Marks that the stack puts into its own processes, and passwords: they are not settings.
_INTERNAL_VARIABLES = frozenset(
    {
        "AIRFOIL_STACK_ID",
        "AIRFOIL_MLFLOW_LAUNCHER",
        "AIRFOIL_AIRFLOW_PASSWORD",
        "AIRFOIL_MLFLOW_PASSWORD",
        "AIRFOIL_BACKUP_PASSPHRASE",
    }
)
_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
# Likeness from which a name outside all sections counts as mistyped (AIRFOIL_MLFOW_PORT).
_NEAR = 0.85


def variable(dotted: str) -> str:
    """Return the environment variable that overrides `section.key`."""
    return PREFIX + dotted.replace(".", "_").upper()


_VARIABLES = {variable(dotted): dotted for dotted in DOTTED_KEYS}


def overrides(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what variables set, by dotted name; an empty variable sets nothing."""
    found: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _INTERNAL_VARIABLES:
            continue
        dotted = _VARIABLES.get(name)
        if dotted is None:
            _refuse_mistyped(name)
        elif environ[name].strip():
            section, key = dotted.split(".")
            found[dotted] = _value(environ[name].strip(), SECTIONS[section].model_fields[key].annotation)
    return found


def _refuse_mistyped(name: str) -> None:
    """Refuse a name inside one of our sections or very like one; others may use our prefix for something else."""
    in_section = any(name.startswith(f"{PREFIX}{section.upper()}_") for section in SECTIONS)
    close = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=0.6 if in_section else _NEAR)
    if in_section or close:
        meant = f"Did you mean {close[0]}? " if close else ""
        raise SettingsError(
            f"The environment variable {printable(name)} sets no known setting.",
            f"{meant}Correct it, or remove it: `unset {printable(name)}`.",
        )


def _value(text: str, annotation: object) -> object:
    """Return the text as the type its setting has; what does not fit stays text, for the model to refuse."""
    if annotation is bool:
        return _FLAGS.get(text.lower(), text)
    if annotation is int or annotation is float:
        try:
            return int(text) if annotation is int else float(text)
        except ValueError:
            return text
    if getattr(annotation, "__origin__", None) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
