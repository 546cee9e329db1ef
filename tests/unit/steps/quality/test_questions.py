"""What is asked of a table follows from its contract and its columns, before a row is read."""

from __future__ import annotations

import pyarrow as pa
import pytest

from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.questions import questions_of

pytestmark = pytest.mark.unit

TYPES = {"n": pa.int64(), "x": pa.float64(), "w": pa.string(), "e": pa.null(), "l": pa.list_(pa.int8())}


def asked(text):
    return {
        (one.check, one.columns): one.moot
        for one in questions_of(Contract.of_yaml(text), TYPES)
        if one.check not in {"rows", "column"}
    }


def test_only_what_is_said_is_asked():
    assert asked("columns: {n: {}, w: {required: false}}") == {}
    found = questions_of(Contract.of_yaml("columns: {n: {}, gone: {required: false}}"), TYPES)
    assert [(one.check, one.columns) for one in found] == [("rows", ()), ("column", ("n",))]
    assert found[0].asks == "at least 1 rows"


@pytest.mark.parametrize(
    ("text", "check", "column", "moot"),
    [
        ("columns: {n: {at_least: 1}}", "range", "n", ""),
        ("columns: {n: {at_least: a}}", "range", "n", "it holds int64, and the bounds are text"),
        ("columns: {w: {at_least: 1}}", "range", "w", "it holds string, and the bounds are numbers"),
        ("columns: {w: {type: integer, at_least: 1}}", "range", "w", "it holds string, not integer"),
        ("columns: {l: {at_least: 1}}", "range", "l", "it holds list<item: int8>"),
        ("columns: {e: {at_least: 1}}", "range", "e", "it never has a value"),
        ("columns: {gone: {at_least: 1}}", "range", "gone", "there is no column 'gone'"),
        ("columns: {n: {matches: a}}", "pattern", "n", "it holds int64"),
        ("columns: {l: {one_of: [1]}}", "set", "l", "it holds list<item: int8>"),
        ("columns: {w: {finite: true}}", "finite", "w", "it holds string"),
        ("columns: {e: {nullable: false}}", "missing", "e", ""),
        ("columns: {e: {type: text}}", "type", "e", "it never has a value"),
        ("freshness: {column: w, hours: 1}", "freshness", "w", "it holds string"),
        ("keys: [[gone]]", "key", "gone", "there is no column 'gone'"),
    ],
)
def test_a_question_that_makes_no_sense_says_why(text, check, column, moot):
    assert asked(text)[check, (column,)] == moot


def test_questions_say_what_they_ask():
    text = """
columns: {w: {one_of: [1,2,3,4,5,6,7,8,9]}, n: {most_missing: 0.015, at_least: 1, at_most: 2}}
rows: {at_most: 5}
most_duplicates: 0.5
foreign_keys: [{columns: [w], table: words}]
"""
    assert [one.asks for one in questions_of(Contract.of_yaml(text), TYPES)] == [
        "at least 1 rows, at most 5",
        "the column is there",
        "the column is there",
        "one of 1, 2, 3, 4, 5, 6, 7, 8 or 1 others",
        "at most 1.5 % without a value",
        "at least 1, at most 2",
        "at most 50 % of rows repeat another one",
        "every value stands in words (w)",
    ]


def test_a_contract_has_a_part_about_columns_and_one_about_the_rest():
    contract = Contract.of_yaml("columns: {n: {type: integer, nullable: false, at_least: 1, unique: true}}")
    schema, content = (questions_of(contract, TYPES, part) for part in ("schema", "content"))
    assert [one.check for one in schema] == ["column", "type", "missing"]
    assert [one.check for one in content] == ["rows", "range", "key"]
    assert {*schema, *content} == set(questions_of(contract, TYPES))
