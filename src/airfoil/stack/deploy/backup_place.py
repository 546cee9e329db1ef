"""Where a Compose server puts its backups, as .env says it: a place that maintenance cannot write to is refused.

Pure. Must not look at the place: it is in a volume, or in a store that only the server reaches.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Right below the volume: postgres.sh makes that folder, and the status page looks no deeper. before-VERSION are dumps.
_PLACE = re.compile(r"|/backups/(?!before-)\w[\w.-]*/?|s3://[^/\s]+(/\S*)?", re.ASCII)
_KEYS = ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY")


def check(given: Mapping[str, str]) -> None:
    """Refuse a place of which the first night would tell that it cannot be used."""
    place, url = given["BACKUP_PLACE"], given["BACKUP_S3_URL"]
    if not _PLACE.fullmatch(place):
        raise SettingsError(
            f"BACKUP_PLACE in .env is {place}, where the part maintenance cannot write.",
            "Name a folder right below the volume, such as /backups/platform, or s3://BUCKET/PREFIX.",
        )
    missing = [name for name in _KEYS if not given[name]]
    if (url or len(missing) == 1) and missing:
        raise SettingsError(
            f"{missing[0]} in .env is empty.",
            "BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY belong together, and BACKUP_S3_URL needs both.",
        )
    parts = urlsplit(url)
    if url and (parts.scheme not in {"https", "http"} or not parts.hostname):
        raise SettingsError(
            "BACKUP_S3_URL in .env is not an address that begins with https:// or http://.", ""
        )
