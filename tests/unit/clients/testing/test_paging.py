"""Pages: every row once, whatever their size; garbage for a token is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.testing.paging import page
from airfoil.clients.testing.refusals import RefusalError

pytestmark = pytest.mark.unit


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_all_pages_together_are_all_rows(rows, size):
    seen, more = page(rows, {}, size)
    while more:
        chosen, more = page(rows, {"page_token": more["next_page_token"]}, size)
        assert chosen
        seen += chosen
    assert seen == rows


@pytest.mark.parametrize("token", ["nonsense", "e30=", "W10=", "eyJvZmZzZXQiOiAieCJ9"])
def test_a_token_that_is_none_is_refused(token):
    with pytest.raises(RefusalError):
        page([1], {"page_token": token}, 1)
