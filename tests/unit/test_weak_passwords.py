"""Which passwords everybody knows."""

from __future__ import annotations

import math
import string
from collections import Counter

import pytest

from airfoil import weak_passwords
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
        "P@ssw0rd1234",
        "p@ssword12345",
        "p4$$w0rd!2026",
        "1qaz2wsx3edc",
        "!qaz@wsx#edc",
        "1q2w3e4r5t6y",
        "qwertyuiop[]",
        "poiuytrewq12",
        "qazwsxedc123",
        "sunshine1234",
        "dragon123456",
        "monkey123456",
        "trustno1trustno1",
        "Summer2026!!!",
        "Adm1n1strator",
        "He11oHe11o11",
        "abcdefghijkl",
    ],
)
def test_what_people_try_first(text):
    assert is_tried_first(text)
    assert is_weak(text)


@pytest.mark.parametrize(
    "text",
    [
        "correct horse, battery: staple?",
        "Zu-lang-zum-Raten",
        "k7XqPw2-mmT9_aaY",
        "sunshine-over-Kyoto",
        "the dragon of 12 monkeys",
        "größe größe 12",
    ],
)
def test_what_they_do_not(text):
    assert not is_tried_first(text)
    assert not is_weak(text)


def test_a_short_one_is_weak_and_not_known():
    assert is_weak("k7-Xq2")
    assert not is_tried_first("k7-Xq2")


def test_a_long_text_is_judged_at_once():
    assert not is_tried_first("admin" * 2000 + "é!x")
    assert not is_tried_first("pass" * 2000 + "é!x")


def test_a_random_one_is_never_refused():
    """Of all 24 signs that a generator can give, fewer than one in a million million is made of words and walks."""
    signs = string.ascii_letters + string.digits + "-_"
    written = Counter(map(weak_passwords._alike, signs))
    share = Counter({1: sum(not one.isalpha() for one in signs) / len(signs)})
    for part in weak_passwords._PARTS:
        share[len(part)] += math.prod(written[letter] / len(signs) for letter in part)
    found = [1.0]
    for length in range(1, 25):
        found.append(sum(share[one] * found[length - one] for one in share if one <= length))
    assert 0 < found[24] < 1e-12
    assert share[1] == 12 / 64
