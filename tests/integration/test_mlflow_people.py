"""People's accounts in MLflow's real store of users: marked, kept after a restart, and never a service account's."""

from __future__ import annotations

import pytest

from airfoil.runtime.mlflow_door import PERMISSIONS, Door, Visitor
from airfoil.runtime.mlflow_people import RESOURCES, ROLE

# MLflow's own modules use what SQLAlchemy, Alembic and Starlette will drop.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

PASSWORD = "a-long-enough-secret"


@pytest.fixture
def open_store(tmp_path):
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    def open_store():
        store = SqlAlchemyStore()
        store.init_db(f"sqlite:///{tmp_path}/auth.db")
        return store

    return open_store


def permissions(store, name):
    roles = store.list_user_roles(store.get_user(name).id)
    return {
        one.resource_type: one.permission
        for role in roles
        for one in role.permissions
        if one.resource_pattern == "*"
    }


def test_a_service_account_is_nobody_s_and_people_are_known_after_a_restart(open_store):
    store = open_store()
    store.create_user("ci", PASSWORD)
    store.grant_user_permission("ci", "experiment", "*", "EDIT")
    assert Door(admin="admin").account(Visitor("ci", "admin"), store) == "ci.person"
    assert (store.get_user("ci").is_admin, permissions(store, "ci")) == (False, {"experiment": "EDIT"})
    assert store.authenticate_user("ci", PASSWORD)
    assert store.get_user("ci.person").is_admin
    assert Door(admin="admin").account(Visitor("vera", "viewer"), store) == "vera"
    again = open_store()
    assert Door(admin="admin").account(Visitor("vera", "editor"), again) == "vera"
    assert permissions(again, "vera") == dict.fromkeys(RESOURCES, "EDIT")
    assert Door(admin="admin").account(Visitor("ci", "viewer"), again) == "ci.person"
    again.delete_user("vera")
    again.create_user("vera", PASSWORD)
    assert Door(admin="admin").account(Visitor("vera", "admin"), again) == "vera.person", (
        "the mark went with it"
    )
    assert [role.name for role in again.list_roles() if role.name.startswith("airfoil")] == [ROLE]


@pytest.mark.parametrize("role", PERMISSIONS)
def test_people_whom_an_earlier_release_let_in_keep_their_accounts(open_store, role):
    """As it made them, without a mark."""
    store = open_store()
    for name in ("vera", "airflow.person"):
        store.create_user(name, PASSWORD)
        for resource in RESOURCES:
            store.grant_user_permission(name, resource, "*", PERMISSIONS[role])
        store.update_user(name, is_admin=role == "admin")
    store.grant_user_permission("vera", "registered_model", "wine", "MANAGE")
    store.create_user("admin", PASSWORD, is_admin=True)
    door = Door(admin="admin", accounts=frozenset({"airflow"}))
    assert door.account(Visitor("vera", role), store) == "vera"
    assert door.account(Visitor("airflow.person", role), store) == "airflow.person"
    assert door.account(Visitor("admin", "admin"), store) == "admin"
    assert len(store.list_users()) == 3
