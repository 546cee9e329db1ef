"""What FAB leaves open is closed: names of local accounts, names in other letters, passwords of nobody.

The whole way is gone in tests/integration/test_login_directory.py and test_login_openid.py.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.unit
flask = pytest.importorskip("flask")
pytest.importorskip("airflow.providers.fab")

from airfoil.runtime import directory_users  # noqa: E402 - it needs FAB
from airfoil.runtime.directory_users import DirectoryUsers, FabException  # noqa: E402 - as above

FABS = directory_users.FabAirflowSecurityManagerOverride
HASH = "scrypt:32768:8:1$salt$digest"


@pytest.fixture
def app():
    found = flask.Flask("test")
    with found.app_context():
        yield found


@pytest.fixture
def users(monkeypatch):
    """A manager with two accounts, whose base does what FAB's would."""
    manager = object.__new__(DirectoryUsers)
    accounts = {
        "admin": SimpleNamespace(password=HASH),
        "ada": SimpleNamespace(password=directory_users.NO_PASSWORD),
    }
    monkeypatch.setattr(
        FABS, "find_user", lambda self, username=None, email=None: accounts.get(username.lower())
    )
    monkeypatch.setattr(FABS, "auth_user_ldap", lambda self, name, password, rotate: f"directory {name}")
    monkeypatch.setattr(FABS, "auth_user_oauth", lambda self, info, rotate: f"issuer {info['username']}")
    monkeypatch.setattr(FABS, "auth_user_db", lambda self, name, password, rotate: f"database {name}")
    return manager


def test_an_account_without_a_password_has_none_that_could_be_guessed(users, monkeypatch):
    from werkzeug.security import check_password_hash

    made = []
    monkeypatch.setattr(FABS, "add_user", lambda self, *values: made.append(values[5:7]))
    users.add_user("ada", "Ada", "L", "a@x")
    users.add_user("bob", "Bob", "B", "b@x", password="known-here-alone")
    assert made == [("", directory_users.NO_PASSWORD), ("known-here-alone", "")]
    assert not check_password_hash(directory_users.NO_PASSWORD, "")
    assert not check_password_hash(directory_users.NO_PASSWORD, directory_users.NO_PASSWORD)


def test_a_local_account_is_asked_for_its_own_password_alone(users, monkeypatch):
    monkeypatch.setitem(
        __import__("sys").modules,
        "ldap",
        SimpleNamespace(OPT_NETWORK_TIMEOUT=1, OPT_TIMEOUT=2, set_option=lambda *_: None),
    )
    assert users.auth_user_ldap("Admin", "x") == "database Admin"
    assert users.auth_user_ldap("ada", "x") == "directory ada"
    assert users.auth_user_ldap("new", "x") == "directory new"
    assert users.auth_user_ldap("ada", "") is None, (
        "a directory takes an empty password for no question at all"
    )


def test_without_the_library_nobody_of_the_directory_gets_in(users, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ldap", None)
    assert users.auth_user_ldap("ada", "x") is None
    assert users.auth_user_ldap("admin", "x") == "database admin"


def test_an_issuer_names_nobody_who_is_local(users):
    assert users.auth_user_oauth({"username": "ADMIN"}) is None
    assert users.auth_user_oauth({"username": "ada"}) == "issuer ada"


def test_an_address_that_two_have_makes_no_error_page(users, monkeypatch):
    def taken(*_):
        raise FabException("unique")

    monkeypatch.setattr(FABS, "auth_user_oauth", taken)
    assert users.auth_user_oauth({"username": "eve"}) is None


@pytest.mark.parametrize(
    ("typed", "written", "is_found"),
    [
        ("ada", [b"ada"], True),
        ("ADA", [b"ada"], True),
        ("ada ", [b"ada"], False),
        ("ada", [b"a", b"ada"], True),
    ],
)
def test_a_name_is_the_one_that_the_directory_writes(users, monkeypatch, typed, written, is_found):
    monkeypatch.setattr(FABS, "_search_ldap", lambda self, *_: ("uid=ada,dc=x", {"sn": [b"L"]}))
    monkeypatch.setattr(DirectoryUsers, "auth_ldap_uid_field", "uid")
    con = SimpleNamespace(search_s=lambda *_: [("uid=ada,dc=x", {"UID": written})])
    found, _ = users._search_ldap(SimpleNamespace(SCOPE_BASE=0), con, typed)
    assert (found is not None) == is_found


def test_capital_letters_make_no_other_group_in_a_directory(users, monkeypatch, app):
    asked = []
    monkeypatch.setattr(FABS, "get_roles_from_keys", lambda self, keys: asked.append(list(keys)) or [])
    monkeypatch.setattr(
        DirectoryUsers, "auth_roles_mapping", {"CN=ML, DC=X": ["Admin"], "cn=b,dc=x": ["User"]}
    )
    users.get_roles_from_keys(["cn=ml,dc=x"])
    app.config["AUTH_LDAP_SEARCH"] = "dc=x"
    users.get_roles_from_keys(["cn=ml,dc=x"])
    assert asked == [["cn=ml,dc=x"], ["CN=ML, DC=X"]]


def test_tokens_of_an_issuer_are_not_kept(users):
    assert users.set_oauth_session("sso", {"access_token": "x"}) is None
