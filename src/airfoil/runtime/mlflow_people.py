"""Which accounts of MLflow are people's: those that the door has made. All others are service accounts.

A role of MLflow's own marks them, so that a restart, a backup and another process know it. It gives no permission. When
the role is not there yet, accounts that look as earlier releases made them get it, once. An account without it is never
touched: whoever is called like one gets another. Must not decide what a person may do.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Protocol

ROLE = "airfoil-people"
BEGUN = "airfoil-people-begun"
"""The role's name until all accounts of an earlier release carry it."""
WORKSPACE = "default"
SUFFIX = ".person"
"""What a name ends with that a service account has, too."""
RESOURCES = ("experiment", "registered_model", "prompt")
"""On all of which a person has one permission."""
_DESCRIPTION = "People who log in to Airflow. The proxy's door makes and uses these accounts alone."


class Accounts(Protocol):
    """The part of MLflow's store of users that is needed."""

    def has_user(self, username: str) -> bool:
        """Whether there is such an account."""

    def get_user(self, username: str) -> Any:
        """Return one, with its `id`."""

    def create_user(self, username: str, password: str) -> Any:
        """Make one."""

    def list_users_with_roles(self) -> Iterable[tuple[Any, Iterable[Any]]]:
        """Return all, with their roles and what these permit."""

    def list_user_roles(self, user_id: int) -> Iterable[Any]:
        """Return the roles of one."""

    def assign_role_to_user(self, user_id: int, role_id: int) -> object:
        """Give one a role that it does not have."""

    def get_role_by_name(self, workspace: str, name: str) -> Any:
        """Return a role, with its `id`; raise when there is none."""

    def create_role(self, name: str, workspace: str, description: str) -> Any:
        """Make a role."""

    def update_role(self, role_id: int, *, name: str) -> object:
        """Call a role otherwise."""


def account_of(store: Accounts, name: str, service_accounts: Iterable[str]) -> str | None:
    """Return the account of a person, made if there is none; None when all that it could be are somebody else's."""
    role_id = _role(store, set(service_accounts))
    # Between the two steps that make an account another process takes it for a service account: for a minute its
    # person is NAME.person there.
    for one in (name, f"{name}{SUFFIX}"):
        if not store.has_user(one):
            _make(store, one, role_id)
            return one
        if _is_marked(store, store.get_user(one).id):
            return one
    return None


def _make(store: Accounts, name: str, role_id: int) -> None:
    try:
        store.create_user(name, secrets.token_urlsafe(32))
    except Exception:
        # Another process of this server has just made it.
        if not store.has_user(name):
            raise
    user_id = store.get_user(name).id
    try:
        store.assign_role_to_user(user_id, role_id)
    except Exception:
        if not _is_marked(store, user_id):
            raise


def _is_marked(store: Accounts, user_id: int) -> bool:
    return any(role.name == ROLE for role in store.list_user_roles(user_id))


def _role(store: Accounts, service_accounts: set[str]) -> int:
    role_id = _named(store, ROLE)
    if role_id is not None:
        return role_id
    try:
        role_id = _named(store, BEGUN)
        if role_id is None:
            role_id = int(store.create_role(BEGUN, WORKSPACE, _DESCRIPTION).id)
        for user, roles in store.list_users_with_roles():
            held = list(roles)
            is_ours = user.username not in service_accounts and _looks_like_a_person(held)
            if is_ours and role_id not in {role.id for role in held}:
                store.assign_role_to_user(user.id, role_id)
        store.update_role(role_id, name=ROLE)
    except Exception:
        # Another process of this server was quicker.
        role_id = _named(store, ROLE)
        if role_id is None:
            raise
    return role_id


def _named(store: Accounts, name: str) -> int | None:
    try:
        return int(store.get_role_by_name(WORKSPACE, name).id)
    except Exception:  # noqa: BLE001 - MLflow's way to say that there is none; a database that fails, fails again
        return None


def _looks_like_a_person(roles: list[Any]) -> bool:
    """Whether these are the permissions that the door gives: one, on all of three kinds, and on no other kind."""
    everywhere = {
        (grant.resource_type, grant.permission)
        for role in roles
        for grant in role.permissions
        if grant.resource_pattern == "*"
    }
    return (
        sorted(kind for kind, _ in everywhere) == sorted(RESOURCES)
        and len({one for _, one in everywhere}) == 1
    )
