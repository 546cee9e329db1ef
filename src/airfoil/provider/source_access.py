"""How a table's server lets us in, from an Airflow connection: its fields are read by name, and nothing else of it is.

The environment is left alone: two tasks in one worker may use two stores. Must not open anything.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airfoil.clients.remote_files import S3Access
from airfoil.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from airflow.sdk import Connection

AWS_CONNECTION = "aws_default"
_SCHEMES = {"postgres": "postgresql", "mysql": "mysql", "sqlite": "sqlite"}
_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""What a database's driver may be told besides."""


def connection(conn_id: str) -> Connection:
    """Return a connection of Airflow; one that does not exist is an error that says so."""
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise NotFoundError(
            f"There is no connection '{conn_id}' in Airflow",
            "Make it, with `airfoil connections` for example.",
        ) from error


def s3_access(conn_id: str) -> S3Access:
    """Return how an S3 store is reached. Without a connection of the usual name the machine's own access is used."""
    try:
        found = connection(conn_id or AWS_CONNECTION)
    except NotFoundError:
        if conn_id:
            raise
        return S3Access()
    extra = found.extra_dejson
    for name in ("role_arn", "profile_name"):
        if extra.get(name):
            raise ConfigurationError(
                f"The connection '{found.conn_id}' has a '{name}', and tables are read with keys only",
                "Give the connection a key and a secret, or leave both empty where the machine itself may read.",
            )
    settings = extra.get("config_kwargs")
    return S3Access(
        key=found.login or extra.get("aws_access_key_id") or "",
        secret=found.password or extra.get("aws_secret_access_key") or "",
        token=extra.get("aws_session_token") or "",
        endpoint=_s3_endpoint(extra),
        region=extra.get("region_name") or "",
        anonymous=isinstance(settings, Mapping) and settings.get("signature_version") == "unsigned",
    )


def _s3_endpoint(extra: Mapping[str, Any]) -> str:
    """Return the endpoint that Airflow's Amazon provider would use for S3."""
    services = extra.get("service_config")
    of_s3 = services.get("s3") if isinstance(services, Mapping) else None
    endpoint = of_s3.get("endpoint_url") if isinstance(of_s3, Mapping) else None
    return str(endpoint or extra.get("endpoint_url") or "")


def sql_address(found: Connection) -> str:
    """Return the address of a database, login included, as SQLAlchemy takes it."""
    from sqlalchemy.engine import URL

    extra = found.extra_dejson
    kind = found.conn_type or ""
    scheme = str(extra.get("sqlalchemy_scheme") or _SCHEMES.get(kind, kind))
    if scheme.partition("+")[0] == "sqlite":
        return URL.create(scheme, database=found.host or found.schema).render_as_string()
    return URL.create(
        scheme,
        username=found.login or None,
        password=found.password or None,
        host=found.host or None,
        port=found.port,
        database=found.schema or None,
        query={name: str(extra[name]) for name in _OPTIONS if extra.get(name)},
    ).render_as_string(hide_password=False)


def http_address(found: Connection, location: str) -> tuple[str, dict[str, str]]:
    """Return an address on a connection's server, and the headers that open it: the extra `headers`, and the login.

    They are sent to that server only.
    """
    host = (found.host or "").strip()
    base = host if "://" in host else f"{found.schema or 'http'}://{host}"
    if found.port and urlsplit(base).port is None:
        base = f"{base.rstrip('/')}:{found.port}"
    address = urljoin(f"{base.rstrip('/')}/", location.lstrip("/") if "://" not in location else location)
    ours, theirs = urlsplit(base), urlsplit(address)
    if not host or (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise ConfigurationError(
            f"The connection '{found.conn_id}' is for {ours.netloc or 'no server'}, not for {theirs.netloc}",
            "Name the table by its path on that server, or take another connection.",
        )
    given = found.extra_dejson.get("headers")
    headers = {str(name): str(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
    if found.login:
        login = base64.b64encode(f"{found.login}:{found.password or ''}".encode()).decode()
        headers.setdefault("Authorization", f"Basic {login}")
    return address, headers
