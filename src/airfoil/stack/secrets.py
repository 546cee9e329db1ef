"""The secrets of one project: made once, kept for ever, readable by their owner alone.

`ensure` never changes a secret that exists: a new Fernet key would make every stored connection unreadable. A file
that cannot be understood is therefore an error for a person to decide on, never a reason to start over. Must not
hand secrets to an argument list or a log, and must not import pydantic or Airflow.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
import secrets as random_source
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from airfoil.errors import SecretsError
from airfoil.stack.project import Project
from airfoil.stack.storage import PRIVATE_FILE_MODE, belongs_to_another, storage_error, write_private

AIRFLOW_ADMIN = "admin"
MLFLOW_ADMIN = "admin"
MINIMUM_LENGTH = 16
_FERNET_KEY_BYTES = 32
_FERNET_KEYS = frozenset({"fernet_key", "webhook_key"})


@dataclass(frozen=True, repr=False)
class Secrets:
    """The generated secrets. Printing one shows the names alone."""

    fernet_key: str
    jwt_secret: str
    api_secret_key: str
    admin_password: str
    webhook_key: str
    webhook_secret: str
    mlflow_admin_password: str
    mlflow_flask_secret: str
    metrics_token: str

    def __repr__(self) -> str:
        """Return the names; the values belong in no log."""
        return f"Secrets({', '.join(f'{field.name}=***' for field in fields(self))})"


def new_fernet_key() -> str:
    """Return a key as `cryptography.fernet.Fernet.generate_key` makes it, without importing that library."""
    return base64.urlsafe_b64encode(os.urandom(_FERNET_KEY_BYTES)).decode("ascii")


def new_password() -> str:
    """Return 24 characters that need no quoting in a shell or a URL (144 bits)."""
    return random_source.token_urlsafe(18)


def new_signing_key() -> str:
    """Return 43 URL-safe characters (256 bits)."""
    return random_source.token_urlsafe(32)


_GENERATORS: dict[str, Callable[[], str]] = {
    "fernet_key": new_fernet_key,
    "jwt_secret": new_signing_key,
    "api_secret_key": new_signing_key,
    "admin_password": new_password,
    "webhook_key": new_fernet_key,  # MLflow encrypts the secrets of webhooks with it
    "webhook_secret": new_signing_key,  # and signs with this one what it sends to Airflow
    "mlflow_admin_password": new_password,
    "mlflow_flask_secret": new_signing_key,
    "metrics_token": new_signing_key,  # with which Prometheus reads verdicts from Airflow
}


def ensure(project: Project) -> Secrets:
    """Return the project's secrets; make what is missing, keep what exists, close the file to others.

    Also writes Airflow's password file and the token for metrics. Two processes that do this at once agree on one set.
    """
    with _locked(project.state):
        if project.secrets.exists():
            _close_to_others(project.secrets)
        known = _read(project.secrets)
        missing = {name: make() for name, make in _GENERATORS.items() if name not in known}
        if missing:
            write_private(project.secrets, json.dumps(known | missing, indent=2) + "\n")
    found = load(project)
    write_airflow_passwords(project, found)
    write_metrics_token(project, found)
    return found


def load(project: Project) -> Secrets:
    """Return the secrets that exist and change nothing; a missing one is an error that names it."""
    known = _read(project.secrets)
    missing = [name for name in _GENERATORS if name not in known]
    if missing:
        raise SecretsError(
            f"{project.secrets} holds no {', '.join(missing)}.",
            "Start the stack once, it adds what is missing: `airfoil up`.",
        )
    return Secrets(**{name: known[name] for name in _GENERATORS})


def write_airflow_passwords(project: Project, secrets: Secrets) -> None:
    """Write the admin's password where Airflow's SimpleAuthManager reads it.

    Passwords of other users in that file stay; the admin's follows secrets.json, which is the truth.
    """
    known: dict[str, Any] = {}
    # A damaged file is no loss: it is made from secrets.json.
    with contextlib.suppress(OSError, ValueError):
        parsed = json.loads(project.passwords.read_text(encoding="utf-8"))
        known = parsed if isinstance(parsed, dict) else {}
    if known.get(AIRFLOW_ADMIN) == secrets.admin_password:
        _close_to_others(project.passwords)
        return
    write_private(project.passwords, json.dumps(known | {AIRFLOW_ADMIN: secrets.admin_password}) + "\n")


def write_metrics_token(project: Project, secrets: Secrets) -> None:
    """Write the token into a file of its own, from which a Prometheus on this machine reads it."""
    with contextlib.suppress(OSError):
        if project.metrics_token.read_text(encoding="utf-8") == secrets.metrics_token:
            _close_to_others(project.metrics_token)
            return
    write_private(project.metrics_token, secrets.metrics_token)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, so that no lock file is left behind."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        # Some network file systems cannot lock a folder; `airfoil up` holds a lock of its own around this.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, Any]:
    """Return what the file holds, checked; an absent file holds nothing."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        known = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        # `from None`: the decoder's message and cause carry the text, and the text is the secrets.
        raise _damaged(path, "is cut off or is not JSON" if raw.strip() else "is empty") from None
    if not isinstance(known, dict):
        raise _damaged(path, "does not hold names and values")
    for name, value in known.items():
        problem = _problem(name, value)
        if problem:
            raise _damaged(path, f"holds a {name} that {problem}")
    return known


def _problem(name: str, value: object) -> str:
    """Return what is wrong with one stored secret; names of later versions are left alone."""
    if name not in _GENERATORS:
        return ""
    if not isinstance(value, str):
        return "is not text"
    if len(value.strip()) < MINIMUM_LENGTH:
        return f"is shorter than {MINIMUM_LENGTH} characters"
    if name in _FERNET_KEYS:
        try:
            key = base64.b64decode(value, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _FERNET_KEY_BYTES:
            return "is not a Fernet key (32 bytes in URL-safe base64)"
    return ""


def _damaged(path: Path, what: str) -> SecretsError:
    return SecretsError(
        f"{path} {what}; it is not made anew, because stored connections cannot be read without it.",
        f"Put it back from a backup. To give up stored connections and logins: `mv '{path}' '{path}.broken'`.",
    )


def _close_to_others(path: Path) -> None:
    """Take away every right of others."""
    try:
        status = path.stat()
        if status.st_mode & 0o077:
            path.chmod(PRIVATE_FILE_MODE)
    except PermissionError as error:
        raise belongs_to_another(path, status.st_uid) from error
    except OSError as error:
        raise storage_error(path, error) from error
