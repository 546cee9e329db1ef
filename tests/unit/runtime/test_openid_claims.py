"""Claims of a checked token become one account, or none."""

from __future__ import annotations

import pytest

from airfoil.errors import ServiceAnswerError
from airfoil.runtime import openid_claims

pytestmark = pytest.mark.unit

ISSUER = "https://sso.example.com"
CLAIMS = {
    "iss": ISSUER,
    "aud": ["airfoil", "account"],
    "sub": "17",
    "preferred_username": "ada",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "ada@example.com",
    "groups": ["engineers", 3],
}


def test_a_token_for_us_is_one():
    openid_claims.check(CLAIMS, ISSUER, "airfoil")
    openid_claims.check(CLAIMS | {"aud": "airfoil"}, ISSUER, "airfoil")


@pytest.mark.parametrize(
    "bent",
    [{"iss": f"{ISSUER}/"}, {"iss": None}, {"aud": "other"}, {"aud": None}, {"aud": "airfoil2"}, {"sub": ""}],
)
def test_a_token_of_or_for_somebody_else_is_refused(bent):
    with pytest.raises(ServiceAnswerError):
        openid_claims.check(CLAIMS | bent, ISSUER, "airfoil")


def test_a_person_is_read():
    assert openid_claims.person(CLAIMS, "preferred_username", "groups") == {
        "username": "ada",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "role_keys": ["engineers"],
    }


@pytest.mark.parametrize("name", ["", "  ", None, 7, ["ada"], "ada\n", "ad\u00ada"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ServiceAnswerError, match="preferred_username"):
        openid_claims.person(CLAIMS | {"preferred_username": name}, "preferred_username", "groups")


@pytest.mark.parametrize("verified", [None, False, "true"])
def test_an_address_that_nobody_verified_is_no_name(verified):
    with pytest.raises(ServiceAnswerError, match="verified"):
        openid_claims.person(CLAIMS | {"email_verified": verified}, "email", "groups")


def test_a_verified_address_is_a_name():
    found = openid_claims.person(CLAIMS | {"email_verified": True}, "email", "groups")
    assert found["username"] == "ada@example.com"


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"groups": ["a"]}, "groups", ["a"]),
        ({"groups": "a"}, "groups", ["a"]),
        ({"groups": []}, "groups", []),
        ({}, "groups", None),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"realm_access": "x"}, "realm_access.roles", None),
        ({"https://example.com/groups": ["a"]}, "https://example.com/groups", ["a"]),
        ({"groups": {"a": 1}}, "groups", None),
    ],
)
def test_groups_are_found_where_the_issuer_puts_them(claims, path, found):
    assert openid_claims.group_names(claims, path) == found
