"""What FAB is told: by whom people are known, never less than was asked for."""

from __future__ import annotations

import pytest

from airfoil.errors import ConfigurationError
from airfoil.runtime import logins

pytestmark = pytest.mark.unit
pytest.importorskip("flask_appbuilder")

LDAP = {
    "AIRFOIL_LOGIN": "ldap",
    "LDAP_URL": "ldaps://ldap.example.com",
    "LDAP_BIND_DN": "cn=reader,dc=example",
    "LDAP_BIND_PASSWORD": "p",
    "LDAP_SEARCH": "ou=people,dc=example",
}
OAUTH = {
    "AIRFOIL_LOGIN": "oauth",
    "OAUTH_ISSUER": "https://sso.example.com/realms/ml/",
    "OAUTH_CLIENT_ID": "airfoil",
    "OAUTH_CLIENT_SECRET": "s",
}
AUTH_DB, AUTH_LDAP, AUTH_OAUTH = 1, 2, 4


@pytest.mark.parametrize("environ", [{}, {"AIRFOIL_LOGIN": ""}, {"AIRFOIL_LOGIN": "database"}])
def test_airflow_itself_knows_people_unless_told_otherwise(environ):
    found = logins.configuration(environ)
    assert found["AUTH_TYPE"] == AUTH_DB
    assert "AUTH_USER_REGISTRATION" not in found


def test_a_password_never_crosses_a_network_in_the_clear():
    assert logins.configuration(LDAP)["AUTH_LDAP_USE_TLS"] is False, "ldaps begins with TLS"
    for url in ("ldap://ldap.example.com", "LDAPS://odd.example.com"):
        found = logins.configuration(LDAP | {"LDAP_URL": url})
        assert found["AUTH_LDAP_USE_TLS"] is True
        assert found["AUTH_LDAP_TLS_DEMAND"] is True
        assert found["AUTH_LDAP_ALLOW_SELF_SIGNED"] is False


def test_a_directory_is_told_with_its_defaults():
    found = logins.configuration(LDAP)
    assert found["AUTH_TYPE"] == AUTH_LDAP
    assert found["AUTH_LDAP_UID_FIELD"] == "uid"
    assert found["AUTH_LDAP_GROUP_FIELD"] == "memberOf"
    assert found["AUTH_LDAP_TLS_CACERTFILE"] == "/etc/ssl/certs/ca-certificates.crt"
    assert found["AUTH_USER_REGISTRATION_ROLE"] == "Public", "nobody's rights for somebody in no group"
    assert found["AUTH_ROLES_SYNC_AT_LOGIN"] is True


def test_an_issuer_is_told_with_its_defaults():
    found = logins.configuration(OAUTH | {"AIRFOIL_LOGIN_CA": "/ca.pem", "LOGIN_OTHERS": "Viewer"})
    assert found["AUTH_TYPE"] == AUTH_OAUTH
    (provider,) = found["OAUTH_PROVIDERS"]
    remote = provider["remote_app"]
    assert (
        remote["server_metadata_url"] == "https://sso.example.com/realms/ml/.well-known/openid-configuration"
    )
    assert remote["client_kwargs"]["code_challenge_method"] == "S256"
    assert remote["client_kwargs"]["verify"] == "/ca.pem"
    assert found["AIRFOIL_OAUTH_ISSUER"] == OAUTH["OAUTH_ISSUER"], "compared letter by letter with tokens"
    assert found["AUTH_USER_REGISTRATION_ROLE"] == "Viewer"


@pytest.mark.parametrize(
    ("given", "name"),
    [(LDAP, name) for name in LDAP if name != "AIRFOIL_LOGIN"]
    + [(OAUTH, name) for name in OAUTH if name != "AIRFOIL_LOGIN"],
)
def test_a_server_with_half_of_a_setting_does_not_start(given, name):
    with pytest.raises(ConfigurationError, match=name):
        logins.configuration(given | {name: ""})


def test_a_way_that_does_not_exist_is_no_way():
    with pytest.raises(ConfigurationError, match="AIRFOIL_LOGIN is saml"):
        logins.configuration({"AIRFOIL_LOGIN": "saml"})


def test_groups_hold_commas_and_one_may_mean_two_roles():
    found = logins.groups(
        {
            "LOGIN_ADMINS": "cn=a,dc=x; cn=b,dc=x ;",
            "LOGIN_VIEWERS": "cn=b,dc=x",
            "LOGIN_OPS": " ; ",
        }
    )
    assert found == {"cn=a,dc=x": ["Admin"], "cn=b,dc=x": ["Admin", "Viewer"]}


def test_a_local_account_gets_no_password_that_everybody_tries():
    from flask_appbuilder.exceptions import PasswordComplexityValidationError

    for password in ("airflow", "admin12345678", "short"):
        with pytest.raises(PasswordComplexityValidationError, match="at least 12"):
            logins.refuse_weak(password)
    logins.refuse_weak("correct horse battery")
