"""The first administrator and the roles: made once, never overwritten, never with a password that everybody knows."""

from __future__ import annotations

import pytest

from airfoil.runtime.container import airflow_setup

pytestmark = pytest.mark.unit


class Manager:
    """What is used of FAB's security manager."""

    def __init__(self, users=(), fails=False):
        self.users = dict.fromkeys(users, "")
        self.fails = fails
        self.synced = False
        self.given = []

    def sync_roles(self):
        self.synced = True

    def find_role(self, name):
        assert self.synced, "roles do not exist before"
        return f"role {name}"

    def create_permission(self, action, resource):
        return (action, resource)

    def add_permission_to_role(self, role, permission):
        self.given.append((role, permission))

    def find_user(self, username):
        return username if username in self.users else None

    def add_user(self, username, first, last, email, role, password):
        assert role == "role Admin"
        if self.fails:
            return False
        self.users[username] = password
        return True


def test_the_first_administrator_is_made():
    manager = Manager()
    assert airflow_setup.fill_accounts(manager, "anne", "correct horse")
    assert manager.users == {"anne": "correct horse"}


def test_everybody_who_may_look_sees_the_pages_of_airfoil():
    manager = Manager()
    airflow_setup.fill_accounts(manager, "anne", "correct horse")
    assert manager.given == [
        ("role Viewer", ("can_read", "Plugins")),
        ("role User", ("can_read", "Plugins")),
    ]


def test_one_who_is_there_keeps_his_password():
    manager = Manager(users=["anne"])
    assert not airflow_setup.fill_accounts(manager, "anne", "correct horse")
    assert manager.users == {"anne": ""}


def test_one_who_cannot_be_made_ends_the_job(capsys):
    with pytest.raises(SystemExit) as ended:
        airflow_setup.fill_accounts(Manager(fails=True), "anne", "correct horse")
    assert ended.value.code == 78
    assert "anne could not be made" in capsys.readouterr().err


def test_name_and_password_come_from_the_variables_of_airflows_own_compose_file():
    environ = {airflow_setup.LOGIN[0]: "anne", airflow_setup.LOGIN[1]: "correct horse"}
    assert airflow_setup.administrator(environ) == ("anne", "correct horse")
    assert airflow_setup.administrator(environ | {airflow_setup.LOGIN[0]: ""})[0] == "admin"


@pytest.mark.parametrize("password", ["", "airflow", "admin12345678", "short"])
def test_a_password_that_everybody_knows_ends_the_job(password, capsys):
    with pytest.raises(SystemExit) as ended:
        airflow_setup.administrator({airflow_setup.LOGIN[1]: password})
    assert ended.value.code == 78
    assert "airfoil deploy compose" in capsys.readouterr().err


def test_the_words_are_those_of_fab():
    from airflow.providers.fab.www.security import permissions

    assert airflow_setup.READ_BY_ALL == ((permissions.ACTION_CAN_READ, permissions.RESOURCE_PLUGIN),)
