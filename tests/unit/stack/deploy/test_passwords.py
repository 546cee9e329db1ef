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
