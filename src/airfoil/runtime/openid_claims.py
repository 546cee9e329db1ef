"""Who an OpenID Connect issuer says a person is: claims of a token whose signature was checked, read into one account.

Claims in, FAB's fields out. Must not fetch anything, and must not decide what somebody may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airfoil.errors import ServiceAnswerError

Claims = Mapping[str, Any]


def check(claims: Claims, issuer: str, client_id: str) -> None:
    """Refuse a token that somebody else has issued, or that was issued for somebody else."""
    audience = claims.get("aud")
    if claims.get("iss") != issuer:
        raise ServiceAnswerError(
            f"A token is from {claims.get('iss')}.", "Write that into OAUTH_ISSUER, if it is the right one."
        )
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise ServiceAnswerError("A token is for another application.", "Compare OAUTH_CLIENT_ID.")
    if not claims.get("sub"):
        raise ServiceAnswerError("A token names nobody.", "The issuer must fill the claim sub.")


def person(claims: Claims, name_claim: str, groups_claim: str) -> dict[str, Any]:
    """Return the account that claims describe, in FAB's words."""
    name = claims.get(name_claim)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ServiceAnswerError(
            f"The claim {name_claim} is missing or no name.", "Choose another in OAUTH_NAME_CLAIM."
        )
    if name_claim == "email" and claims.get("email_verified") is not True:
        raise ServiceAnswerError(
            "The issuer has not verified an address that is to be a name.",
            "Choose another claim in OAUTH_NAME_CLAIM, or have addresses verified.",
        )
    return {
        "username": name,
        "first_name": _text(claims, "given_name"),
        "last_name": _text(claims, "family_name"),
        "email": _text(claims, "email"),
        "role_keys": group_names(claims, groups_claim) or [],
    }


def group_names(claims: Claims, path: str) -> list[str] | None:
    """Return the groups in a claim, which may lie inside others (`realm_access.roles`); None when it is missing."""
    # An address is a name for a claim as well (`https://example.com/groups`): whole names come first.
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list):
        return None
    return [one for one in found if isinstance(one, str)]


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
