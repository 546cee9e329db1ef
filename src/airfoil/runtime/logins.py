"""What Airflow's user management (FAB) is told of logins: the variables of a server's .env, as FAB's own settings.

Airflow itself, an LDAP directory, or an OpenID Connect issuer knows people's passwords. A setting that is missing is an
error that keeps the API server from starting: nobody gets in by a way that was not chosen. Pure but for the names of
FAB's constants, and chance where no key is given. Must not talk to a directory or an issuer.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.weak_passwords import FEWEST_CHARACTERS, is_weak

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = {"LOGIN_ADMINS": "Admin", "LOGIN_OPS": "Op", "LOGIN_USERS": "User", "LOGIN_VIEWERS": "Viewer"}
"""Variable with groups -> the role of Airflow that their members have."""
NOBODY = "Public"
"""Airflow's role without rights."""
PROVIDER = "sso"
"""The issuer's name in our addresses: /auth/oauth-authorized/sso."""
DEBIANS_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
SESSION_KEY = "AIRFOIL_SESSION_KEY"
"""Variable that the container of the API server alone has."""
ANSWER_SECONDS = 10
"""How long a directory or an issuer may take."""


def configuration(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return FAB's settings."""
    from flask_appbuilder import const

    kind = environ.get("AIRFOIL_LOGIN") or "database"
    found: dict[str, Any] = {
        # It signs the cookie of who is logged in. Airflow would take [api] secret_key, which every worker has to
        # serve its logs: whoever holds that one could name any user.
        "SECRET_KEY": environ.get(SESSION_KEY) or secrets.token_urlsafe(32),
        # Of local accounts alone: what a directory takes as a password is its own affair.
        "FAB_PASSWORD_COMPLEXITY_ENABLED": True,
        "FAB_PASSWORD_COMPLEXITY_VALIDATOR": refuse_weak,
    }
    if kind == "database":
        return found | {"AUTH_TYPE": const.AUTH_DB}
    if kind == "ldap":
        found |= {"AUTH_TYPE": const.AUTH_LDAP} | _directory(environ)
    elif kind == "oauth":
        found |= {"AUTH_TYPE": const.AUTH_OAUTH} | _issuer(environ)
    else:
        raise ConfigurationError(f"AIRFOIL_LOGIN is {kind}.", "Choose among database, ldap and oauth.")
    return found | {
        # An account is made at the first login; what it may do follows the groups at each.
        "AUTH_USER_REGISTRATION": True,
        "AUTH_USER_REGISTRATION_ROLE": environ.get("LOGIN_OTHERS") or NOBODY,
        "AUTH_ROLES_SYNC_AT_LOGIN": True,
        "AUTH_ROLES_MAPPING": groups(environ),
    }


def groups(environ: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which roles the members of a group have; groups are separated by semicolons, since names hold commas."""
    found: dict[str, list[str]] = {}
    for variable, role in ROLES.items():
        for group in filter(None, (one.strip() for one in environ.get(variable, "").split(";"))):
            found.setdefault(group, []).append(role)
    return found


def refuse_weak(password: str) -> None:
    """Refuse a password for a local account that everybody tries first; FAB shows the sentence in its form."""
    from flask_appbuilder.exceptions import PasswordComplexityValidationError

    if is_weak(password):
        raise PasswordComplexityValidationError(
            f"Choose one of at least {FEWEST_CHARACTERS} characters that nobody tries first."
        )


def _directory(environ: Mapping[str, str]) -> dict[str, Any]:
    url = _needed(environ, "LDAP_URL")
    return {
        "AUTH_LDAP_SERVER": url,
        # A password never crosses a network in the clear: ldaps, or StartTLS at the beginning.
        "AUTH_LDAP_USE_TLS": not url.startswith("ldaps://"),
        "AUTH_LDAP_TLS_DEMAND": True,
        "AUTH_LDAP_ALLOW_SELF_SIGNED": False,
        "AUTH_LDAP_TLS_CACERTFILE": environ.get("AIRFOIL_LOGIN_CA") or DEBIANS_AUTHORITIES,
        "AUTH_LDAP_BIND_USER": _needed(environ, "LDAP_BIND_DN"),
        "AUTH_LDAP_BIND_PASSWORD": _needed(environ, "LDAP_BIND_PASSWORD"),
        "AUTH_LDAP_SEARCH": _needed(environ, "LDAP_SEARCH"),
        "AUTH_LDAP_SEARCH_FILTER": environ.get("LDAP_FILTER", ""),
        "AUTH_LDAP_UID_FIELD": environ.get("LDAP_NAME_FIELD") or "uid",
        "AUTH_LDAP_GROUP_FIELD": environ.get("LDAP_GROUP_FIELD") or "memberOf",
        "AUTH_LDAP_USE_NESTED_GROUPS_FOR_ROLES": environ.get("LDAP_NESTED_GROUPS", "").lower() == "true",
    }


def _issuer(environ: Mapping[str, str]) -> dict[str, Any]:
    issuer = _needed(environ, "OAUTH_ISSUER")
    client: dict[str, Any] = {
        "scope": environ.get("OAUTH_SCOPE") or "openid profile email",
        # Authlib calls a token that lives for a minute an old one from the beginning.
        "leeway": 5,
        "code_challenge_method": "S256",
        "default_timeout": ANSWER_SECONDS,
    }
    if authority := environ.get("AIRFOIL_LOGIN_CA"):
        client["verify"] = authority
    return {
        "OAUTH_PROVIDERS": [
            {
                "name": PROVIDER,
                "icon": "fa-key",
                "remote_app": {
                    "client_id": _needed(environ, "OAUTH_CLIENT_ID"),
                    "client_secret": _needed(environ, "OAUTH_CLIENT_SECRET"),
                    "server_metadata_url": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
                    "client_kwargs": client,
                },
            }
        ],
        "AIRFOIL_OAUTH_ISSUER": issuer,
        "AIRFOIL_OAUTH_NAME_CLAIM": environ.get("OAUTH_NAME_CLAIM") or "preferred_username",
        "AIRFOIL_OAUTH_GROUPS_CLAIM": environ.get("OAUTH_GROUPS_CLAIM") or "groups",
    }


def _needed(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise ConfigurationError(
            f"AIRFOIL_LOGIN is {environ['AIRFOIL_LOGIN']}, and {name} is empty.",
            "Fill it in in .env, and run `airfoil deploy compose`.",
        )
    return environ[name]
