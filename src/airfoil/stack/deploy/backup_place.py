"""Where a Compose server puts its backups, as .env says it: a place that maintenance cannot write to is refused.

Pure. Must not look at the place: it is in a volume, or in a store that only the server reaches.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airfoil.errors import SettingsError
from airfoil.stack.backup import place_keys
from airfoil.stack.deploy import neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping

# Right below the volume: postgres.sh makes that folder, and the status page looks no deeper. before-VERSION are dumps.
_PLACE = re.compile(r"|/backups/(?!before-)\w[\w.-]*/?|s3://[^/\s]+(/\S*)?", re.ASCII)


def check(given: Mapping[str, str]) -> None:
    """Refuse a place of which the first night would tell that it cannot be used."""
    place, url = given["BACKUP_PLACE"], given["BACKUP_S3_URL"]
    if not _PLACE.fullmatch(place):
        raise SettingsError(
            f"BACKUP_PLACE in .env is {place}, where the part maintenance cannot write.",
            "Name a folder right below the volume, such as /backups/platform, or s3://BUCKET/PREFIX.",
        )
    missing = [name for name in place_keys.OWN if not given[name]]
    if (url or len(missing) == 1) and missing:
        raise SettingsError(
            f"{missing[0]} in .env is empty.",
            f"{' and '.join(place_keys.OWN)} belong together, and BACKUP_S3_URL needs both.",
        )
    neighbours.web_address(given, "BACKUP_S3_URL")
