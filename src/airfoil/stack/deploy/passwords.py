"""The secrets of a Compose server: made once each, and those of a person refused when everybody knows them.

What opens somebody else's server was chosen there, with any signs in it: such a one is taken as it is. Pure but for the
source of randomness. Must not read a file, and must not name a secret's value in an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airfoil.errors import SecretsError
from airfoil.stack import secrets
from airfoil.weak_passwords import FEWEST_CHARACTERS, is_tried_first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GENERATORS: Mapping[str, Callable[[], str]] = {
    "_AIRFLOW_WWW_USER_PASSWORD": secrets.new_password,
    "FERNET_KEY": secrets.new_fernet_key,
    "JWT_SECRET": secrets.new_signing_key,
    "API_SECRET_KEY": secrets.new_signing_key,
    "SESSION_KEY": secrets.new_signing_key,
    "METRICS_TOKEN": secrets.new_signing_key,
    "EDGE_SIGNING_KEY": secrets.new_signing_key,
    "POSTGRES_PASSWORD": secrets.new_password,
    "AIRFLOW_DATABASE_PASSWORD": secrets.new_password,
    "MLFLOW_DATABASE_PASSWORD": secrets.new_password,
    "MLFLOW_AUTH_DATABASE_PASSWORD": secrets.new_password,
    "FEAST_DATABASE_PASSWORD": secrets.new_password,
    "METRICS_DATABASE_PASSWORD": secrets.new_password,
    "REDIS_PASSWORD": secrets.new_password,
    "S3_ACCESS_KEY_ID": secrets.new_password,
    "S3_SECRET_ACCESS_KEY": secrets.new_signing_key,
    "MLFLOW_ADMIN_PASSWORD": secrets.new_password,
    "MLFLOW_AIRFLOW_PASSWORD": secrets.new_password,
    "MLFLOW_EDGE_PASSWORD": secrets.new_password,
    "MLFLOW_FLASK_SECRET": secrets.new_signing_key,
    "MLFLOW_WEBHOOK_KEY": secrets.new_fernet_key,
    "MLFLOW_PROXY_SECRET": secrets.new_signing_key,
    "GRAFANA_PASSWORD": secrets.new_password,
    "BACKUP_PASSPHRASE": secrets.new_signing_key,
}
"""Variables of .env that are never empty -> what makes one."""
THEIRS: Mapping[str, tuple[str, ...]] = {
    "S3_URL": ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
    "MLFLOW_URL": ("MLFLOW_AIRFLOW_PASSWORD",),
}
"""The address of somebody else's server -> the variables that open it."""
_NEEDS_NO_QUOTING = re.compile(r"[A-Za-z0-9._~=-]+")
"""These stand in addresses of databases and brokers, in JSON, and in configuration files."""
_A_PERSON_TYPES = frozenset({"_AIRFLOW_WWW_USER_PASSWORD", "BACKUP_PASSPHRASE", "GRAFANA_PASSWORD"})


def is_theirs(name: str, given: Mapping[str, str]) -> bool:
    """Tell whether a secret is not ours to choose."""
    return any(name in names and given[address] for address, names in THEIRS.items())


def check(name: str, value: str, *, theirs: bool = False) -> None:
    """Refuse a secret that everybody knows, that is short, or that cannot stand where it is used."""
    if is_tried_first(value):
        raise SecretsError(
            f"{name} in .env is a password that people try first.",
            "Have it changed on that server."
            if theirs
            else "Delete its value, and a good one is made; or write one of your own.",
        )
    if theirs:
        return
    if len(value) < FEWEST_CHARACTERS and name != "S3_ACCESS_KEY_ID":
        raise SecretsError(
            f"{name} in .env is shorter than {FEWEST_CHARACTERS} characters.",
            "Delete its value, and a good one is made; or write a longer one.",
        )
    if name not in _A_PERSON_TYPES and not _NEEDS_NO_QUOTING.fullmatch(value):
        raise SecretsError(
            f"{name} in .env holds characters that cannot stand in an address.",
            'Use letters, digits and ". _ ~ = -".',
        )
