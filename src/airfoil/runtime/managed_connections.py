"""Keeps the connections and variables that follow from airfoil.toml up to date, and overwrites nothing of a person's.

What was written is remembered as digests in the database itself (an encrypted Variable), so another database, a
restored one or a shared one is judged by what it holds, not by what this folder did before.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from airfoil.runtime import vault

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY = "airfoil_managed"
"""The Variable that holds name -> digest of what we wrote last, of a variable as `variable NAME`."""


def digest(fields: Mapping[str, Any]) -> str:
    """Return what tells one definition of a connection from another."""
    return hashlib.sha256(json.dumps(vault.normal(fields), sort_keys=True).encode()).hexdigest()


def apply(connections: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]) -> list[str]:
    """Write what is new or was ours; return the names whose new definition gave way to a person's."""
    from airflow.utils.session import create_session

    with create_session() as session:
        before = _remembered(session)
        memory = dict(before)
        kept = [name for name, fields in connections.items() if not _apply_one(session, name, fields, memory)]
        for key, value in variables.items():
            _apply_variable(session, key, value, memory)
        if memory != before:
            vault.set_variable(session, MEMORY, json.dumps(memory, sort_keys=True))
    return kept


def _apply_one(session: Any, name: str, fields: Mapping[str, Any], memory: dict[str, str]) -> bool:
    """Bring one connection up to date; False when a person changed it and we would have, too."""
    wanted = digest(fields)
    row = vault.find_connection(session, name)
    if row is not None:
        present = digest(vault.fields_of(row))
        # Without a memory the description tells: a release that remembered elsewhere wrote it.
        described = fields.get("description") and row.description == fields["description"]
        ours = present == memory.get(name) or (name not in memory and described)
        if present != wanted and not ours:
            return memory.get(name) == wanted
    if row is None or present != wanted:
        vault.set_connection(session, name, fields)
    memory[name] = wanted
    return True


def _apply_variable(session: Any, key: str, value: str, memory: dict[str, str]) -> None:
    """Set a variable that is not there, or is still what we set it to: an address may follow a port that moved."""
    name, present = f"variable {key}", vault.get_variable(session, key)
    if present is None or (present != value and memory.get(name) == _text_digest(present)):
        vault.set_variable(session, key, value)
        memory[name] = _text_digest(value)


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _remembered(session: Any) -> dict[str, str]:
    try:
        found = json.loads(vault.get_variable(session, MEMORY) or "{}")
    except ValueError:
        found = {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
