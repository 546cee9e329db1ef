"""Who knows people's passwords, as .env says it: a directory or an issuer that is half given is refused.

Pure. Must not talk to either: `airfoil.runtime.logins` tells Airflow of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KINDS = {
    "ldap": ("LDAP_URL", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD", "LDAP_SEARCH"),
    "oauth": ("OAUTH_ISSUER", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"),
}
"""Kind of login -> the variables that it cannot do without."""
DATABASE = "database"
ROLES = ("Admin", "Op", "User", "Viewer")
GROUPS = ("LOGIN_ADMINS", "LOGIN_OPS", "LOGIN_USERS", "LOGIN_VIEWERS")
_SWITCHES = ("true", "false", "")


def derived(given: Mapping[str, str]) -> dict[str, str]:
    """Return what follows from checked values: whether the image needs what speaks LDAP."""
    return {"AIRFOIL_LDAP": "1" if given["AIRFOIL_LOGIN"] == "ldap" else "0"}


def check(given: Mapping[str, str], folder: Path) -> None:
    """Refuse settings by which nobody could log in, or that nobody would read; `folder` holds the .env."""
    kind = given["AIRFOIL_LOGIN"]
    if kind not in {"", DATABASE, *KINDS}:
        raise _wrong(
            "AIRFOIL_LOGIN", "is none of its values", f"Choose among {DATABASE}, {', '.join(KINDS)}."
        )
    if not kind:
        _refuse_unread(given)
    minutes = given["LOGIN_MINUTES"]
    if not minutes.isdecimal() or not int(minutes):
        raise _wrong("LOGIN_MINUTES", "is not a number of minutes", "720 is half a day.")
    if given["LOGIN_OTHERS"] not in {"", *ROLES}:
        raise _wrong("LOGIN_OTHERS", "is not a role", f"Choose among {', '.join(ROLES)}, or leave it empty.")
    if kind in KINDS:
        _check_kind(kind, given, folder)


def _refuse_unread(given: Mapping[str, str]) -> None:
    for kind, names in KINDS.items():
        for name in names:
            if given[name]:
                raise _wrong(
                    name, "is given, and nothing reads it", f"Write AIRFOIL_LOGIN={kind}, or {DATABASE}."
                )


def _check_kind(kind: str, given: Mapping[str, str], folder: Path) -> None:
    for name in KINDS[kind]:
        if not given[name]:
            raise _wrong(name, f"is empty, and AIRFOIL_LOGIN={kind} needs it", "Fill it in.")
    if not given["LOGIN_OTHERS"] and not any(given[name].strip("; ") for name in GROUPS):
        raise _wrong(
            "LOGIN_ADMINS",
            "is empty like every other group: nobody would have a right",
            "Name one group at least.",
        )
    authority = given["LOGIN_CA_FILE"]
    # Compose takes a name without either for a volume.
    if authority and not (authority.startswith(("/", "./", "../")) and (folder / authority).is_file()):
        raise _wrong("LOGIN_CA_FILE", "is no file", "Give its path, with ./ in front if it lies beside .env.")
    if kind == "ldap":
        _check_directory(given)
    else:
        _check_issuer(given)


def _check_directory(given: Mapping[str, str]) -> None:
    if not _is_address(given["LDAP_URL"], ("ldaps", "ldap")):
        raise _wrong(
            "LDAP_URL",
            "is not an address of a directory",
            "Write ldaps://HOST, or ldap://HOST, which begins with StartTLS.",
        )
    text = given["LDAP_FILTER"]
    if text and not (text[0] == "(" and text[-1] == ")" and text.count("(") == text.count(")")):
        raise _wrong("LDAP_FILTER", "is not a filter in brackets", "Such as (objectClass=person).")
    if given["LDAP_NESTED_GROUPS"] not in _SWITCHES:
        raise _wrong("LDAP_NESTED_GROUPS", "is neither true nor false", "Choose one.")
    for name in GROUPS:
        groups = [one.strip() for one in given[name].split(";") if one.strip()]
        if not all("=" in one for one in groups):
            raise _wrong(
                name,
                "holds something that is not a group's whole name",
                "Write it as the directory does: cn=ml,ou=groups,dc=example,dc=com; semicolons separate two.",
            )


def _check_issuer(given: Mapping[str, str]) -> None:
    if not _is_address(given["OAUTH_ISSUER"], ("https",)):
        raise _wrong(
            "OAUTH_ISSUER",
            "is not an address that begins with https://",
            "Write what the issuer calls itself.",
        )
    if "openid" not in given["OAUTH_SCOPE"].split():
        raise _wrong("OAUTH_SCOPE", "lacks openid, without which nobody is named", "Add it.")


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)


def _wrong(name: str, what: str, move: str) -> SettingsError:
    return SettingsError(f"{name} in .env {what}.", move)
