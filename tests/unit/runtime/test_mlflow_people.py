"""Which accounts of MLflow are people's: those with the mark, and once those that earlier releases made."""

from __future__ import annotations

import pytest
from tests.unit.runtime.mlflow_accounts import FakeAccounts

from airfoil.runtime import mlflow_people
from airfoil.runtime.mlflow_people import BEGUN, RESOURCES, account_of

pytestmark = pytest.mark.unit

PASSWORD = "a password of more than thirty signs"
MACHINES = ("admin", "airflow")


@pytest.fixture
def store():
    return FakeAccounts()


def machine(store, name, permission="EDIT", kinds=RESOURCES):
    store.create_user(name, PASSWORD)
    for kind in kinds:
        store.grant_user_permission(name, kind, "*", permission)


def test_an_account_is_made_once_and_known_again(store):
    assert [account_of(store, "vera", MACHINES) for _ in range(2)] == ["vera", "vera"]
    assert (store.marked(), len(store.roles)) == ({"vera"}, 1)


def test_an_account_that_came_later_from_an_administrator_is_not_a_persons(store):
    account_of(store, "vera", MACHINES)
    machine(store, "ci")
    assert account_of(store, "ci", MACHINES) == "ci.person"
    assert store.marked() == {"vera", "ci.person"}


def test_people_of_an_earlier_release_keep_their_accounts(store):
    machine(store, "vera", "READ")
    machine(store, "ada", "MANAGE")
    store.users["ada"].roles[0].permissions.append(
        type(store.users["ada"].roles[0].permissions[0])("experiment", "7", "MANAGE")
    )
    for name, kinds in (
        ("airflow", RESOURCES),
        ("ci", RESOURCES[:2]),
        ("old", (*RESOURCES, "scorer")),
        ("new", ()),
    ):
        machine(store, name, "MANAGE", kinds)
    store.grant_user_permission("ci", "prompt", "*", "READ")
    assert account_of(store, "vera", MACHINES) == "vera"
    assert store.marked() == {"vera", "ada"}
    assert [account_of(store, name, MACHINES) for name in ("ada", "ci", "old", "new")] == [
        *("ada", "ci.person", "old.person", "new.person")
    ]


def test_a_start_that_was_cut_off_goes_on(store, monkeypatch):
    machine(store, "vera", "READ")
    machine(store, "emil")
    real = store.assign_role_to_user
    calls = []

    def once(user_id, role_id):
        if calls:
            raise RuntimeError("no database")
        calls.append(user_id)
        real(user_id, role_id)

    monkeypatch.setattr(store, "assign_role_to_user", once)
    with pytest.raises(RuntimeError, match="no database"):
        account_of(store, "vera", MACHINES)
    assert [role.name for role in store.roles] == [BEGUN]
    monkeypatch.undo()
    assert account_of(store, "emil", MACHINES) == "emil"
    assert (store.marked(), len(store.roles)) == ({"vera", "emil"}, 1)


def test_two_processes_may_begin_at_once(store, monkeypatch):
    def quicker(name, workspace, description):
        FakeAccounts.create_role(store, mlflow_people.ROLE, workspace, description)
        raise RuntimeError("already exists")

    monkeypatch.setattr(store, "create_role", quicker)
    store.raced = True
    assert account_of(store, "vera", MACHINES) == "vera"
    assert store.marked() == {"vera"}


def test_when_every_name_is_somebody_elses_there_is_none(store):
    machine(store, "ci", kinds=())
    machine(store, "ci.person", kinds=())
    assert account_of(store, "ci", MACHINES) is None
    assert store.marked() == set()
