"""Ids as names of folders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.run_folders import folder_name

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("plain", ["shop", "scheduled__2026-01-01", "a.b-c_d"])
def test_an_id_that_can_be_a_folder_is_one(plain):
    assert folder_name(plain) == plain


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_id_is_a_folder_of_its_own(first, second):
    one, other = folder_name(first), folder_name(second)
    assert (one == other) == (first == second)
    assert "/" not in one
    assert one not in {".", ".."}
    assert len(one) < 120
