"""Limits of MLflow: what is cut, what is refused, and under which code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.testing import refusals
from airfoil.clients.testing.refusals import RefusalError

pytestmark = pytest.mark.unit


@given(st.text(max_size=300))
def test_a_key_is_taken_as_it_is_or_refused(key):
    try:
        kept = refusals.check_key(key)
    except RefusalError:
        return
    assert kept == key
    assert ".." not in key.split("/")
    assert len(key) <= 250


@pytest.mark.parametrize("key", ["", "it's", "a,b", "../a", "/a", "a//b", "k" * 251])
def test_other_keys_are_invalid_parameters(key):
    with pytest.raises(RefusalError) as caught:
        refusals.check_key(key)
    assert (caught.value.status, caught.value.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("key", ["a", "a.b", "a/b c:d-e_f", "größe", "k" * 250])
def test_common_keys_are_taken(key):
    assert refusals.check_key(key) == key


def test_long_values_are_cut():
    assert len(refusals.check_param("a", "x" * 7000)[1]) == 6000
    assert len(refusals.check_tag("a", "x" * 9000)[1]) == 8000


@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}, True])
def test_a_field_of_another_type_is_refused(value):
    with pytest.raises(RefusalError):
        refusals.optional_text({"a": value}, "a")


@pytest.mark.parametrize("body", [{}, {"a": None}, {"a": ""}])
def test_what_must_be_given_is_asked_for_by_name(body):
    with pytest.raises(RefusalError, match="'a'"):
        refusals.text(body, "a")


def test_what_is_not_there_is_a_404():
    assert refusals.missing("no run").status == 404
