"""Keys as numbers: equal keys have equal numbers, whatever the two sides write them as."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import TableError
from airfoil.steps.training_sets import keys
from airfoil.steps.training_sets.keys import NOBODY, KeyCodes

pytestmark = pytest.mark.unit
pairs = st.lists(
    st.tuples(st.none() | st.integers(-3, 3), st.none() | st.sampled_from(["", "a", "ab"])), max_size=30
)


def codes(ours, theirs, keys=("a", "b")):
    own, other = (
        pl.DataFrame(rows, {"a": pl.Int64, "b": pl.String}, orient="row") for rows in (ours, theirs)
    )
    made = KeyCodes(own, other.schema, {key: key for key in keys}, "facts")
    return list(made.of_entities), list(made.of(other)), made.count


@given(pairs, pairs)
def test_numbers_are_equal_where_all_parts_are(ours, theirs):
    own, other, count = codes(ours, theirs)
    known = {row for row in ours if None not in row}
    assert count == len(known)
    for row, code in [*zip(ours, own, strict=True), *zip(theirs, other, strict=True)]:
        assert (code != NOBODY) == (row in known)
    numbered = dict(zip(ours, own, strict=True))
    for row, code in zip(theirs, other, strict=True):
        assert code == (numbered.get(row, NOBODY) if row in known else NOBODY)
    assert set(own) - {NOBODY} == set(range(count))


def test_without_keys_all_rows_are_of_one_kind():
    assert codes([(1, "a"), (None, None)], [(2, "b")], keys=()) == ([0, 0], [0], 1)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pl.Int64(), pl.String()),
        (pl.Boolean(), pl.Int64()),
        (pl.Date(), pl.Datetime("us")),
        (pl.Float64(), pl.Decimal(10, 2)),
        (pl.List(pl.Int64()), pl.List(pl.Int64())),
    ],
)
def test_kinds_that_are_never_equal_are_refused(ours, theirs):
    with pytest.raises(TableError, match=r"'a' holds .+, and 'b' of facts holds"):
        KeyCodes(pl.DataFrame(schema={"a": ours}), pl.Schema({"b": theirs}), {"a": "b"}, "facts")


def test_large_numbers_do_not_become_equal():
    own = pl.DataFrame({"a": [2**63, 2**63 + 1]}, {"a": pl.UInt64})
    other = pl.DataFrame({"a": [-(2**63), 2**53 + 1]}, {"a": pl.Int64})
    assert list(KeyCodes(own, other.schema, {"a": "a"}, "facts").of(other)) == [NOBODY, NOBODY]
    near = pl.DataFrame({"a": [float(2**53)]})
    assert list(KeyCodes(near, other.schema, {"a": "a"}, "facts").of(other)) == [NOBODY, NOBODY]


@pytest.mark.parametrize("most", [0, 2**24], ids=["hashed", "close"])
def test_whole_numbers_are_found_however_far_away_others_are(monkeypatch, most):
    monkeypatch.setattr(keys, "_MOST_PLACES", most)
    entities = pl.DataFrame({"id": [5, None, -3, 5, 1000]})
    rows = pl.DataFrame({"id": [2**63 - 1, -(2**63), 5, None, 0, -3, -4, 1001, 1000]})
    made = KeyCodes(entities, rows.schema, {"id": "id"}, "orders")
    ours = made.of_entities
    assert ours[1] == NOBODY
    assert len({ours[0], ours[2], ours[4]}) == made.count == 3
    assert ours[0] == ours[3]
    assert made.of(rows).tolist() == [
        NOBODY,
        NOBODY,
        ours[0],
        NOBODY,
        NOBODY,
        ours[2],
        NOBODY,
        NOBODY,
        ours[4],
    ]
    assert made.of(rows.filter(pl.col("id") == 5)).tolist() == [ours[0]]
    assert made.of(rows.clear()).tolist() == []


def test_entities_without_a_key_find_nothing():
    entities = pl.DataFrame({"id": pl.Series([None], dtype=pl.Int64)})
    made = KeyCodes(entities, entities.schema, {"id": "id"}, "orders")
    assert made.of(pl.DataFrame({"id": [1, None]})).tolist() == [NOBODY, NOBODY]
