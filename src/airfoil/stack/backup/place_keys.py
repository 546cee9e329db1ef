"""Who we are at the store of backups, where that is somebody else than at the stores of data.

On a server every worker holds the keys of the data, because tasks read and write it. Keys of the backups' own are in
one container alone, so that no task can remove a backup. Pure. Must not connect to anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# How each is called for backups, and for everything else.
_KEYS = tuple((f"BACKUP_S3_{key}", f"AWS_{key}") for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
OWN = tuple(own for own, _ in _KEYS)
_URL = (("BACKUP_S3_URL", "MLFLOW_S3_ENDPOINT_URL"),)
_OF_OTHER_KEYS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which the store of backups is opened: its own where they are given, or the usual ones."""
    found = dict(environ)
    if not all(environ.get(own) for own in OWN):
        return found
    for name in _OF_OTHER_KEYS:
        found.pop(name, None)
    given = {usual: environ[own] for own, usual in _KEYS + _URL if environ.get(own)}
    return found | given
