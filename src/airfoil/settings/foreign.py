"""Rules about servers that exist already: what `url` excludes, and that no password stands beside it.

Words the complaints in full, because the generic next move ("correct the value") would not say where a password goes.
Must not read anything.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from airfoil.errors import SettingsError

# These say how a server of ours is started; beside a server that exists they could only mislead.
_OURS_ALONE = {
    "airflow": ("host", "port", "database", "parallelism"),
    "mlflow": ("host", "port", "database", "artifacts", "auth"),
}
# How `airfoil connections set` calls the login of each.
LOGIN_NAMES = {"airflow": "airflow", "mlflow": "mlflow_default"}

Place = Callable[[str], str]


def refuse_contradictions(values: Mapping[str, Any], place: Place) -> None:
    """Raise SettingsError when a foreign server's address holds a login, or settings of a server of ours join it."""
    for section, keys in _OURS_ALONE.items():
        url, username = f"{section}.url", f"{section}.username"
        if not values.get(url):
            if values.get(username):
                raise SettingsError(
                    f"{place(username)}: {username} is the login at a server that exists, but {url} is not set.",
                    f"Set {url}, or delete {username}.",
                )
            continue
        if _has_login(values[url]):
            raise SettingsError(
                f"{place(url)}: {url} holds a user name or password, and settings are no place for one.",
                f"Take out what stands before the @. The name goes into {username}; the password is asked for "
                f"and kept by `airfoil connections set {LOGIN_NAMES[section]}`.",
            )
        for key in keys:
            dotted = f"{section}.{key}"
            if dotted in values:
                raise SettingsError(
                    f"{place(dotted)}: {dotted} is for a server that we start, but {url} ({place(url)}) names one "
                    f"that exists.",
                    f"Delete {dotted} to use that server, or delete {url} to have one started.",
                )


def _has_login(url: object) -> bool:
    """Tell whether an address holds a login; what cannot be parsed at all is judged by its "@"."""
    if not isinstance(url, str):
        return False
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return "@" in url
