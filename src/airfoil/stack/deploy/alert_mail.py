"""The way of a Compose server's alerts by mail, as .env says it: without a server for outgoing mail there is none.

Pure. Must not look at the mail server: Alertmanager says whether it takes the mails (NotificationsFailing).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name or an address, IPv6 in brackets; alertmanager.sh takes 587 where no port is.
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(:\d{1,5})?")
_NEXT_MOVE = (
    "Write HOST:PORT there, such as mail.example.com:587, or set smtp under [alerts] in airfoil.toml."
)


def check(given: Mapping[str, str]) -> None:
    """Refuse a way of mail that Alertmanager would not start with, or that ends in its own container."""
    parts = {part.strip() for part in given["AIRFOIL_PARTS"].split(",")}
    if "metrics" not in parts or not given["ALERT_MAIL_TO"]:
        return
    server = given["ALERT_SMTP_HOST"]
    if not server:
        raise SettingsError("ALERT_MAIL_TO in .env names people, and ALERT_SMTP_HOST no server.", _NEXT_MOVE)
    if not _SERVER.fullmatch(server):
        raise SettingsError("ALERT_SMTP_HOST in .env is no HOST:PORT.", _NEXT_MOVE)
