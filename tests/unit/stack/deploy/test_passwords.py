"""Secrets of a server: good ones are made, bad ones are refused, none is told."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from airfoil.errors import SecretsError
from airfoil.stack.deploy import passwords

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", passwords.GENERATORS)
def test_what_is_made_is_accepted_and_never_made_twice(name):
    made = {passwords.GENERATORS[name]() for _ in range(20)}
    assert len(made) == 20
    for value in made:
        passwords.check(name, value)


@pytest.mark.parametrize("name", ["FERNET_KEY", "MLFLOW_WEBHOOK_KEY"])
def test_keys_can_encrypt(name):
    key = Fernet(passwords.GENERATORS[name]())
    assert key.decrypt(key.encrypt(b"x")) == b"x"


@pytest.mark.parametrize("value", ["airflow", "Airflow2026!", "adminadminadmin"])
def test_what_people_try_first_is_refused(value):
    with pytest.raises(SecretsError) as caught:
        passwords.check("_AIRFLOW_WWW_USER_PASSWORD", value)
    assert "people try first" in caught.value.message
    assert value not in caught.value.in_full


def test_a_short_one_is_refused():
    with pytest.raises(SecretsError, match="shorter than 12"):
        passwords.check("REDIS_PASSWORD", "k7-Xq2")


def test_the_key_id_of_a_store_may_be_short():
    passwords.check("S3_ACCESS_KEY_ID", "k7Xq2")


@pytest.mark.parametrize("sign", ["@", ":", "/", "#", "?", "%", " ", "'", ",", "$"])
def test_signs_that_would_break_an_address_are_refused(sign):
    with pytest.raises(SecretsError, match="cannot stand in an address"):
        passwords.check("AIRFLOW_DATABASE_PASSWORD", f"long-enough{sign}x")


def test_people_may_use_them():
    passwords.check("_AIRFLOW_WWW_USER_PASSWORD", "correct horse, battery: staple?")


OURS = dict.fromkeys(("POSTGRES_URL", "REDIS_URL", "S3_URL", "MLFLOW_URL"), "")
OPENING = [(name, address) for address, names in passwords.THEIRS.items() for name in names]


@pytest.mark.parametrize(("name", "address"), OPENING)
def test_what_opens_the_server_of_somebody_else_is_taken_as_it_is(name, address):
    assert passwords.is_theirs(name, OURS | {address: "https://there.example.com"})
    assert not passwords.is_theirs(name, OURS), "ours is started then"
    passwords.check(name, "wJa/lr+X9", theirs=True)
    with pytest.raises(SecretsError, match="cannot stand in an address"):
        passwords.check(name, "wJalrXUtnF/K7M+NG", theirs=False)
    with pytest.raises(SecretsError) as caught:
        passwords.check(name, "minioadmin", theirs=True)
    assert caught.value.next_move == "Have it changed on that server."


@pytest.mark.parametrize("name", sorted(set(passwords.GENERATORS) - {name for name, _ in OPENING}))
def test_no_other_secret_is_somebody_elses(name):
    assert not passwords.is_theirs(name, dict.fromkeys(OURS, "https://there.example.com"))
