"""Reads and writes Airflow's connections and variables in its own store, encrypted by its own key.

`python -m airfoil.runtime.vault` takes one JSON request on stdin and prints one line with the answer: secrets travel in
neither an argument list nor a log. For when no api-server runs; it does what Airflow's command line does, without a
process for each value.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from airflow.models.connection import Connection
from airflow.models.variable import Variable
from sqlalchemy import select

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER = "airfoil-answer: "
HIDDEN = "***"
FIELDS = ("conn_type", "description", "host", "login", "password", "schema", "port")


def fields_of(row: Connection) -> dict[str, Any]:
    """Return what a stored connection holds, decrypted, empty values in one form."""
    found: dict[str, Any] = {name: getattr(row, name) or "" for name in FIELDS}
    return found | {"extra": _parsed(row.extra)}


def normal(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Bring what a person or a file gave into the form of `fields_of`."""
    found: dict[str, Any] = {name: fields.get(name) or "" for name in FIELDS}
    return found | {"extra": _parsed(fields.get("extra"))}


def _parsed(extra: object) -> object:
    """Return an extra as an object; what is no JSON stays text."""
    if not extra:
        return {}
    if isinstance(extra, str):
        try:
            return json.loads(extra)
        except ValueError:
            return extra
    return extra


def list_connections(session: Any) -> list[dict[str, Any]]:
    """List every connection without its secrets: whether there is one, not which."""
    found = []
    for row in session.scalars(select(Connection).order_by(Connection.conn_id)):
        extra = _parsed(row.extra)
        found.append(
            {
                "name": row.conn_id,
                "conn_type": row.conn_type,
                "description": row.description,
                "host": row.host,
                "port": row.port,
                "schema": row.schema,
                "has_login": bool(row.login),
                "has_password": bool(row.password),
                "extra": sorted(extra) if isinstance(extra, dict) else [],
            }
        )
    return found


def find_connection(session: Any, name: str) -> Connection | None:
    """Return the stored connection of that name."""
    found: Connection | None = session.scalar(select(Connection).where(Connection.conn_id == name))
    return found


def set_connection(session: Any, name: str, fields: Mapping[str, Any]) -> None:
    """Create or replace a connection."""
    if delete_connection(session, name):
        session.flush()  # a new row, because an old password stays when it is set to nothing
    extra = fields.get("extra")
    row = Connection(conn_id=name, **{key: fields.get(key) or None for key in FIELDS}, extra=extra or None)
    session.add(row)


def delete_connection(session: Any, name: str) -> bool:
    """Delete a connection; False when there was none."""
    row = find_connection(session, name)
    if row is not None:
        session.delete(row)
    return row is not None


def list_variables(session: Any) -> list[dict[str, Any]]:
    """List every variable without its value."""
    rows = session.scalars(select(Variable).order_by(Variable.key))
    return [{"key": row.key, "description": row.description} for row in rows]


def get_variable(session: Any, key: str) -> str | None:
    """Return the value of a variable, or None when there is none."""
    row = session.scalar(select(Variable).where(Variable.key == key))
    return None if row is None else row.get_val()


def show_variable(session: Any, key: str) -> str | None:
    """Return a value that a person asked for; what its name marks as a secret is hidden, as Airflow's API does."""
    from airflow._shared.secrets_masker import should_hide_value_for_key

    value = get_variable(session, key)
    return HIDDEN if value and should_hide_value_for_key(key) else value


def set_variable(session: Any, key: str, value: str) -> None:
    """Create or replace a variable."""
    Variable.set(key=key, value=value, session=session)


def delete_variable(session: Any, key: str) -> bool:
    """Delete a variable; False when there was none."""
    return bool(Variable.delete(key, session=session))


OPERATIONS = {
    function.__name__: function
    for function in (
        list_connections,
        set_connection,
        delete_connection,
        list_variables,
        show_variable,
        set_variable,
        delete_variable,
    )
}


def main() -> None:
    """Entry point: `{"do": OPERATION, ...arguments}` in, `airfoil-answer: {"value": ...}` or `{"error": ...}` out."""
    request = json.loads(sys.stdin.read())
    operation = OPERATIONS[request.pop("do")]
    try:
        from airflow.utils.session import create_session

        with create_session() as session:
            answer = {"value": operation(session, **request)}
    except Exception as error:  # noqa: BLE001 - whatever the database says goes to the person who asked, in one line
        reason = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        answer = {"error": reason.splitlines()[0]}
    print(ANSWER + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
