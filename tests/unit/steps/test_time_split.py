"""Earlier and later rows: all of them, apart, and never one moment on both sides."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.steps.time_split import split_by_time

pytestmark = pytest.mark.unit


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=60).filter(lambda days: len(set(days)) > 1),
    st.floats(0.01, 0.99),
)
def test_every_row_is_on_one_side_and_the_later_side_is_later(days, share):
    frame = pd.DataFrame({"at": pd.to_datetime(days, unit="D", utc=True), "row": range(len(days))})
    earlier, later = split_by_time(frame, "at", later_share=share)
    assert sorted([*earlier["row"], *later["row"]]) == list(range(len(days)))
    assert not earlier.empty
    assert not later.empty
    assert earlier["at"].max() < later["at"].min()


def test_the_share_is_kept_where_moments_allow_it():
    frame = pd.DataFrame({"at": range(100)})
    assert [len(side) for side in split_by_time(frame, "at", later_share=0.2)] == [80, 20]


@pytest.mark.parametrize(
    ("moments", "share", "said"),
    [
        ([1, 2, 3], 0.0, "leaves one side empty"),
        ([1, 2, 3], 1.0, "leaves one side empty"),
        ([1, None, 3], 0.5, "1 rows have no at"),
        ([2, 2, 2], 0.5, "All 3 rows have the same at"),
        ([], 0.5, "All 0 rows have the same at"),
    ],
)
def test_what_cannot_be_parted_is_said(moments, share, said):
    with pytest.raises(ConfigurationError, match=said):
        split_by_time(pd.DataFrame({"at": moments}), "at", later_share=share)
