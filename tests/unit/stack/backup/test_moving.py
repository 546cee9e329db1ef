"""From SQLite to PostgreSQL: the same value looks the same, and nothing is lost without a word."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from airfoil.errors import ConfigurationError
from airfoil.stack.backup import moving
from airfoil.stack.backup.postgres_catalogue import Column

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("bool", 1, "t"),
        ("bool", 0, "f"),
        ("int4", 7, "7"),
        ("float8", 1.0, "1"),
        ("float8", 0.1, "0.1"),
        ("timestamptz", "2026-11-22 15:00:00.000000", "2026-11-22 15:00:00+00"),
        ("timestamp", "2026-11-22 15:00:00.120000", "2026-11-22 15:00:00.12"),
        ("json", '{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        ("jsonb", "not json", "not json"),
        ("uuid", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"),
        ("bytea", b"\x00\xff", "\\x00ff"),
        ("varchar", "ä", "ä"),
        ("text", 5, "5"),
        ("text", None, None),
    ],
)
def test_the_same_value_has_the_same_digest_on_both_sides(kind, ours, theirs):
    assert moving._digest([(ours,)], [kind]) == moving._digest([(theirs,)], [kind])


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [("bool", 1, "f"), ("int4", 7, "8"), ("text", None, ""), ("json", "[1]", "[2]"), ("float8", 0.1, "0.2")],
)
def test_and_another_value_another(kind, ours, theirs):
    assert moving._digest([(ours,)], [kind]) != moving._digest([(theirs,)], [kind])


def test_the_order_of_rows_does_not_count_and_their_number_does():
    assert moving._digest([(1,), (2,)], ["int4"]) == moving._digest([("2",), ("1",)], ["int4"])
    assert moving._digest([(1,), (1,)], ["int4"]) != moving._digest([(1,)], ["int4"])


@pytest.mark.parametrize(
    ("value", "kind", "spelled"),
    [(None, "bool", None), (1, "bool", "t"), ("0", "bool", "f"), (b"\xff", "bytea", "\\xff"), (b"a", "text", "a"),
     (0.1, "float8", "0.1"), (3, "text", "3")],
)  # fmt: skip
def test_values_are_spelled_as_postgres_reads_them(value, kind, spelled):
    assert moving._spelled(value, kind) == spelled


def test_rows_without_a_place_on_the_other_side_are_refused():
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.execute("create table t (a, b)")
        kept.execute("create table u (a)")
        plan = {"t": [Column("a", "text")]}
        moving._refuse_strangers(kept, plan)
        assert moving._shared(kept, "t", [Column("a", "text"), Column("z", "text")]) == plan["t"]
        kept.execute("insert into t values (1, null)")
        moving._refuse_strangers(kept, plan)
        kept.execute("insert into u values (1)")
        with pytest.raises(ConfigurationError, match=r"has no place for u\.a"):
            moving._refuse_strangers(kept, plan)
