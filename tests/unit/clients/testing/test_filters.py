"""Filters: what a row must be to be found, and what is no filter. A real server is asked the same in behaviours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.testing.filters import Condition, arrange, choose, parse_filter
from airfoil.clients.testing.refusals import RefusalError
from airfoil.clients.testing.runs import GRAMMAR

pytestmark = pytest.mark.unit


def row_of(values):
    return lambda kind, key: values.get((kind, key))


@pytest.mark.parametrize(
    ("clause", "condition"),
    [
        ("tags.a = 'x'", Condition("tag", "a", "=", "x")),
        ("tags.`a b` != 'x'", Condition("tag", "a b", "!=", "x")),
        ("params.a LIKE 'x%'", Condition("param", "a", "LIKE", "x%")),
        ("metrics.loss >= 0.5", Condition("metric", "loss", ">=", 0.5)),
        ("status = 'RUNNING'", Condition("attribute", "status", "=", "RUNNING")),
        ("tags.a is  not  null", Condition("tag", "a", "IS NOT NULL", None)),
        ("run_id IN ('a', 'b')", Condition("attribute", "run_id", "IN", ("a", "b"))),
    ],
)
def test_a_clause_is_understood(clause, condition):
    assert parse_filter(clause, GRAMMAR) == (condition,)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused(text):
    try:
        conditions = parse_filter(text, GRAMMAR)
    except RefusalError:
        return
    assert choose([{}], conditions, row_of) in ([], [{}])


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers()), st.integers()), max_size=20), st.booleans())
def test_rows_without_a_value_come_last_whichever_way(rows, down):
    clause = f"metrics.a {'DESC' if down else 'ASC'}"
    arranged = arrange(rows, [clause], GRAMMAR, lambda row: lambda kind, key: row[0])
    values = [row[0] for row in arranged]
    present = [value for value in values if value is not None]
    assert present == sorted(present, reverse=down)
    assert values == present + [None] * (len(values) - len(present))


def test_nan_is_unequal_to_everything():
    row = row_of({("metric", "loss"): float("nan")})
    assert Condition("metric", "loss", "!=", 1.0).holds(row)
    assert not Condition("metric", "loss", "<", 1.0).holds(row)
