"""A contract says what it means, in YAML and back, and what means nothing is refused with the place."""

from __future__ import annotations

import datetime as dt

import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.contract import ColumnRule, Contract, ForeignKey, Freshness, RowBounds

pytestmark = pytest.mark.unit

WHOLE = """
columns:
  id: {type: integer, nullable: false, unique: true}
  day: {type: date, at_least: 2026-01-01, at_most: 2026-12-31}
  word: {type: text, one_of: [a, b], matches: "[a-z]", most_missing: 0.1, tolerance: 0.01}
  note: {required: false}
  x: {type: float64, finite: true, at_least: 0}
other_columns: refuse
rows: {at_least: 10, at_most: 20}
keys: [[day, word]]
most_duplicates: 0
freshness: {column: day, hours: 24}
foreign_keys:
- {columns: [word], table: words, references: [name]}
"""


def test_a_contract_is_read_and_written_without_loss():
    contract = Contract.of_yaml(WHOLE)
    assert contract.columns["day"].at_least == "2026-01-01"
    assert contract.unique_keys == (("id",), ("day", "word"))
    assert contract.freshness == Freshness(column="day", hours=24)
    assert contract.foreign_keys == (ForeignKey(columns=("word",), table="words", references=("name",)),)
    assert Contract.of_yaml(contract.to_yaml()) == contract
    assert Contract.from_json(contract.to_json()) == contract
    assert Contract.of(contract) is contract


def test_a_bound_may_be_a_date_of_python():
    rule = ColumnRule(at_least=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert rule.at_least == "2026-01-01T00:00:00+00:00"


def test_an_empty_table_has_to_be_allowed():
    assert Contract().rows == RowBounds(at_least=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("- a", "no table of settings"),
        ("columns: [", "is no YAML"),
        ("columns: {a: {type: int}}", "columns.a: no column is of type 'int'"),
        ("columns: {a: {typ: integer}}", "columns.a.typ: Extra inputs"),
        ("columns: {a: {at_least: 2, at_most: 1}}", "columns.a: nothing is at least 2 and at most 1"),
        ("columns: {a: {at_least: 2, at_most: z}}", "columns.a: at_least and at_most are of different kinds"),
        ("columns: {a: {matches: '['}}", "columns.a: .* is no regular expression"),
        ("columns: {a: {most_missing: 2}}", "columns.a.most_missing: .* less than or equal to 1"),
        ("rows: {at_least: 2, at_most: 1}", "rows: no table has at least 2"),
        ("keys: [[a, a]]", "a key names at least one column"),
        ("keys: [[]]", "a key names at least one column"),
        ("freshness: {column: a, hours: 0}", "freshness.hours"),
        ("foreign_keys: [{columns: [a, b], table: t, references: [c]}]", "2 columns cannot refer to 1"),
    ],
)
def test_what_means_nothing_is_refused_with_its_place(text, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        Contract.of_yaml(text, "trips.yaml")
    assert "trips.yaml" in caught.value.message
    assert caught.value.next_move
