"""Asks for the fields of a connection at a terminal, by its type; secrets without echo.

The forms of our own types come from the provider's description of them, the same that Airflow's pages show.
"""

from __future__ import annotations

import getpass
from typing import Any

from airfoil.errors import ConfigurationError

STANDARD = (
    ("host", "Host"),
    ("port", "Port"),
    ("login", "Login"),
    ("password", "Password"),
    ("schema", "Schema"),
)
FURTHER = "Extra (a JSON object)"


def ask_fields(conn_type: str) -> dict[str, Any]:
    """Ask for everything that a connection of this type has; an empty answer leaves a field empty."""
    if not conn_type:
        conn_type = _ask("Type (mlflow, aws, postgres, http, ...)")
    if not conn_type:
        raise ConfigurationError("A connection needs a type.", "Give it: `--type postgres`.")
    form = _form_of(conn_type)
    behaviour = form.get("ui-field-behaviour", {})
    labels, hidden = behaviour.get("relabeling", {}), set(behaviour.get("hidden-fields", ()))
    fields: dict[str, Any] = {"conn_type": conn_type}
    for name, label in STANDARD:
        if name not in hidden:
            shown = labels.get(name, label)
            fields[name] = _ask_secret(shown) if name == "password" else _ask(shown)
    fields["port"] = _port(fields.get("port", ""))
    fields["extra"] = _ask_extra(form)
    return fields


def _form_of(conn_type: str) -> dict[str, Any]:
    from airfoil.provider.get_provider_info import get_provider_info

    known = get_provider_info()["connection-types"]
    return next((dict(form) for form in known if form["connection-type"] == conn_type), {})


def _ask_extra(form: dict[str, Any]) -> dict[str, Any]:
    own = form.get("conn-fields")
    if own is None:
        from airfoil.stack.connection_uri import parse_extra

        return parse_extra(_ask(FURTHER))
    found = {}
    for name, field in own.items():
        schema = field.get("schema", {})
        default = schema.get("default")
        label = f"{field.get('label', name)}{'' if default is None else f' [{default}]'}"
        given = _ask_secret(label) if schema.get("format") == "password" else _ask(label)
        if given:
            found[name] = _typed(given, schema.get("type"))
    return found


def _typed(text: str, kind: object) -> Any:
    kinds = kind if isinstance(kind, list) else [kind]
    try:
        if "integer" in kinds:
            return int(text)
        if "number" in kinds:
            return float(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is not a number.", "Begin again.") from None
    return text


def _port(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise ConfigurationError(f"{text!r} is not a port.", "Begin again with a number.")
    return int(text)


def _ask(label: str) -> str:
    return input(f"{label}: ").strip()


def _ask_secret(label: str) -> str:
    return getpass.getpass(f"{label} (not shown): ")
