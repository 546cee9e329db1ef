"""Logins that are half given, or that nobody would read, are refused with the next move."""

from __future__ import annotations

import pytest

from airfoil.errors import SettingsError
from airfoil.runtime import logins as told
from airfoil.stack.deploy import env_file, logins, shipped

pytestmark = pytest.mark.unit

EXAMPLE = env_file.spoken_values((shipped.folder("compose") / "env.example").read_text(encoding="utf-8"))
LDAP = {
    "AIRFOIL_LOGIN": "ldap",
    "LDAP_URL": "ldaps://ldap.example.com",
    "LDAP_BIND_DN": "cn=reader,dc=example",
    "LDAP_BIND_PASSWORD": "any",
    "LDAP_SEARCH": "ou=people,dc=example",
    "LOGIN_ADMINS": "cn=ml,dc=example",
}
OAUTH = {
    "AIRFOIL_LOGIN": "oauth",
    "OAUTH_ISSUER": "https://sso.example.com",
    "OAUTH_CLIENT_ID": "airfoil",
    "OAUTH_CLIENT_SECRET": "any",
    "LOGIN_USERS": "engineers",
}


def refusal(tmp_path, **changes):
    with pytest.raises(SettingsError) as refused:
        logins.check(EXAMPLE | changes, tmp_path)
    assert refused.value.next_move
    return refused.value.in_full


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"AIRFOIL_LOGIN": "database"},
        # The way back in when a directory is gone for good.
        LDAP | {"AIRFOIL_LOGIN": "database"},
        LDAP,
        LDAP | {"LDAP_URL": "ldap://ldap:1389", "LDAP_FILTER": "(&(a=b)(c=d))"},
        OAUTH,
        OAUTH | {"LOGIN_USERS": "", "LOGIN_OTHERS": "Viewer"},
    ],
)
def test_what_is_whole_is_taken(given, tmp_path):
    logins.check(EXAMPLE | given, tmp_path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, names in logins.KINDS.items() for name in names],
)
def test_half_of_it_is_refused_by_name(kind, name, tmp_path):
    whole = LDAP if kind == "ldap" else OAUTH
    said = refusal(tmp_path, **whole | {name: ""})
    assert said == f"{name} in .env is empty, and AIRFOIL_LOGIN={kind} needs it. Fill it in."


def test_what_nobody_would_read_is_refused(tmp_path):
    said = refusal(tmp_path, LDAP_URL="ldaps://ldap")
    assert said == "LDAP_URL in .env is given, and nothing reads it. Write AIRFOIL_LOGIN=ldap, or database."


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"AIRFOIL_LOGIN": "saml"}, "AIRFOIL_LOGIN"),
        ({"LOGIN_MINUTES": "12h"}, "LOGIN_MINUTES"),
        ({"LOGIN_MINUTES": "0"}, "LOGIN_MINUTES"),
        ({"LOGIN_OTHERS": "Root"}, "LOGIN_OTHERS"),
        (LDAP | {"LOGIN_ADMINS": " ; "}, "LOGIN_ADMINS"),
        (LDAP | {"LOGIN_ADMINS": "ml-admins"}, "LOGIN_ADMINS"),
        (LDAP | {"LDAP_URL": "ldap.example.com"}, "LDAP_URL"),
        (LDAP | {"LDAP_URL": "ldap://ldap:port"}, "LDAP_URL"),
        (LDAP | {"LDAP_FILTER": "a=b"}, "LDAP_FILTER"),
        (LDAP | {"LDAP_FILTER": "((a=b)"}, "LDAP_FILTER"),
        (LDAP | {"LDAP_NESTED_GROUPS": "yes"}, "LDAP_NESTED_GROUPS"),
        (LDAP | {"LOGIN_CA_FILE": "./ca.pem"}, "LOGIN_CA_FILE"),
        (OAUTH | {"OAUTH_ISSUER": "http://sso.example.com"}, "OAUTH_ISSUER"),
        (OAUTH | {"OAUTH_SCOPE": "profile email"}, "OAUTH_SCOPE"),
    ],
)
def test_what_cannot_work_is_refused(given, name, tmp_path):
    assert refusal(tmp_path, **given).startswith(f"{name} in .env ")


def test_an_authority_beside_env_is_found_where_compose_finds_it(tmp_path):
    (tmp_path / "ca.pem").write_text("x")
    logins.check(EXAMPLE | LDAP | {"LOGIN_CA_FILE": "./ca.pem"}, tmp_path)
    logins.check(EXAMPLE | LDAP | {"LOGIN_CA_FILE": str(tmp_path / "ca.pem")}, tmp_path)
    refusal(tmp_path, **LDAP | {"LOGIN_CA_FILE": "ca.pem"})


def test_the_image_gets_the_library_for_a_directory_alone():
    assert logins.derived(LDAP) == {"AIRFOIL_LDAP": "1"}
    assert logins.derived(OAUTH) == {"AIRFOIL_LDAP": "0"}


def test_what_is_needed_here_is_needed_there():
    assert set(logins.GROUPS) == set(told.ROLES)
    assert set(logins.ROLES) == set(told.ROLES.values())
