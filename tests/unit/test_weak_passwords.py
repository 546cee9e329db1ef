"""Which passwords everybody knows."""

from __future__ import annotations

import pytest

from airfoil.weak_passwords import is_tried_first, is_weak

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "airflow",
        "Airflow2026!",
        "admin",
        "adminadminadmin",
        "password1234",
        "Passw0rd-Passw0rd",
        "minioadmin",
        "postgres",
        "change_me_123456",
        "changeme123456",
        "123456789012345",
        "aaaaaaaaaaaaaaaa",
        "!!!!welcome2026!!!!",
    ],
)
def test_what_people_try_first(text):
    assert is_tried_first(text)
    assert is_weak(text)


@pytest.mark.parametrize("text", ["correct horse, battery: staple?", "Zu-lang-zum-Raten", "k7XqPw2-mmT9_aaY"])
def test_what_they_do_not(text):
    assert not is_tried_first(text)
    assert not is_weak(text)


def test_a_short_one_is_weak_and_not_known():
    assert is_weak("k7-Xq2")
    assert not is_tried_first("k7-Xq2")


def test_a_long_text_is_judged_at_once():
    assert not is_tried_first("admin" * 2000 + "é!x")
