"""Airflow's user management with people of a directory or an issuer beside local accounts.

FAB does the talking. Added here is what it leaves open: nobody takes over a local account by bearing its name; a local
account, such as the first administrator's, still opens the login form when the directory is away; a name is the one
that the directory itself writes; accounts of others have no password here. It leans on FAB's security manager, whose
methods are overridden by name. Must not decide about roles: groups do, in `logins`.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.providers.fab.auth_manager.security_manager.override import (
    FabAirflowSecurityManagerOverride,
    FabException,
)
from flask import current_app

from airfoil.errors import AirfoilError, ServiceAnswerError
from airfoil.runtime import openid_claims
from airfoil.runtime.logins import ANSWER_SECONDS

log = logging.getLogger(__name__)

NO_PASSWORD = "!"  # noqa: S105 - in the place of a hash, which has dollar signs: no password fits
"""What stands in the database of somebody whose password we never see."""


class DirectoryUsers(FabAirflowSecurityManagerOverride):
    """FAB's security manager, stricter about who is who."""

    def add_user(
        self,
        username: str,
        first_name: str,
        last_name: str,
        email: str,
        role: Any = None,
        password: str = "",
        hashed_password: str = "",
        groups: Any = None,
    ) -> Any:
        """Make an account; one without a password gets none that could be guessed, instead of an empty one."""
        if not password and not hashed_password:
            hashed_password = NO_PASSWORD
        return super().add_user(
            username, first_name, last_name, email, role, password, hashed_password, groups
        )

    def is_local(self, username: str) -> bool:
        """Whether an account has its password here."""
        user = self.find_user(username=username)
        return user is not None and "$" in (user.password or "")

    def auth_user_ldap(self, username: str, password: str, rotate_session_id: bool = True) -> Any:  # noqa: FBT001, FBT002 - FAB's
        """Let somebody in by the directory, or by the password of a local account of that name."""
        if not username or not password:
            return None
        if self.is_local(username):
            return self.auth_user_db(username, password, rotate_session_id)
        try:
            import ldap
        except ImportError:
            log.error("python-ldap is not in this image: build it with AIRFOIL_LOGIN=ldap in .env")  # noqa: TRY400 - the cause says less
            return None
        ldap.set_option(ldap.OPT_NETWORK_TIMEOUT, ANSWER_SECONDS)
        ldap.set_option(ldap.OPT_TIMEOUT, ANSWER_SECONDS)
        try:
            return super().auth_user_ldap(username, password, rotate_session_id)
        except FabException:
            log.warning("no account for %r: another one has the same address of mail", username)
            return None

    def _search_ldap(self, ldap: Any, con: Any, username: str) -> Any:
        """Find somebody by the very name that the directory writes.

        It finds `ada` for ` ada ` and for letters that look different as well; each would be an account of its own
        here, also for somebody whose account was switched off.
        """
        found, attributes = super()._search_ldap(ldap, con, username)  # type: ignore[no-untyped-call]
        if found is None:
            return None, None
        field = self.auth_ldap_uid_field
        ((_, named), *_) = con.search_s(found, ldap.SCOPE_BASE, "(objectClass=*)", [field])
        names = [
            value.decode()
            for key, values in named.items()
            if key.lower() == field.lower()
            for value in values
        ]
        if username.lower() not in {name.lower() for name in names}:
            log.info("the directory writes %r in another way", username)
            return None, None
        return found, attributes

    def get_roles_from_keys(self, role_keys: list[str]) -> set[Any]:
        """Return the roles of groups; capital letters and spaces after commas make no other group in a directory."""
        if "AUTH_LDAP_SEARCH" not in current_app.config:
            return set(super().get_roles_from_keys(role_keys))
        given = {_same(key) for key in role_keys}
        known = [group for group in self.auth_roles_mapping if _same(group) in given]
        return set(super().get_roles_from_keys(known))

    def auth_user_oauth(self, userinfo: dict[str, Any], rotate_session_id: bool = True) -> Any:  # noqa: FBT001, FBT002 - FAB's
        """Let somebody in whom the issuer names, unless a local account has that name."""
        if self.is_local(userinfo.get("username", "")):
            log.warning("the issuer names %r, which is a local account: refused", userinfo["username"])
            return None
        try:
            return super().auth_user_oauth(userinfo, rotate_session_id)
        except FabException:
            log.warning("no account for %r: another one has the same address of mail", userinfo["username"])
            return None

    def get_oauth_user_info(self, provider: str, resp: dict[str, Any]) -> dict[str, Any]:
        """Read who it is from the ID token, whose signature was checked; groups may be told on request only."""
        settings = current_app.config
        claims = dict(resp.get("userinfo") or {})
        remote = self.oauth_remotes[provider]
        openid_claims.check(claims, settings["AIRFOIL_OAUTH_ISSUER"], remote.client_id)
        wanted = settings["AIRFOIL_OAUTH_GROUPS_CLAIM"]
        if (
            openid_claims.group_names(claims, wanted) is None
            or settings["AIRFOIL_OAUTH_NAME_CLAIM"] not in claims
        ):
            claims = self._asked(remote, resp, claims)
        try:
            return openid_claims.person(claims, settings["AIRFOIL_OAUTH_NAME_CLAIM"], wanted)
        except AirfoilError as error:
            log.error("%s", error.in_full)  # noqa: TRY400 - FAB tells the person; a trace would hold their claims
            raise

    def _asked(self, remote: Any, resp: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """Add what the issuer says when it is asked; the token's own claims stand."""
        if not remote.load_server_metadata().get("userinfo_endpoint"):
            return claims
        more = dict(remote.userinfo(token=resp))
        if more.get("sub") != claims["sub"]:
            raise ServiceAnswerError(
                "The issuer tells of somebody else.", "Report it to who runs the issuer."
            )
        return more | claims

    def set_oauth_session(self, provider: str, oauth_response: dict[str, Any]) -> None:
        """Keep nothing of the issuer's tokens: they are not used again, and do not fit into a cookie."""


def _same(group: str) -> str:
    return ",".join(part.strip() for part in group.split(",")).casefold()
