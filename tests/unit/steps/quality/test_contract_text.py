"""A contract as a file for people: it teaches, and it is read back as the same contract."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.quality.contract import ColumnRule, Contract
from airfoil.steps.quality.contract_text import teaching_yaml

pytestmark = pytest.mark.unit
WHOLE = Contract.of(
    {
        "columns": {
            "id": {"type": "integer", "unique": True},
            "pickup": {"type": "timestamp", "at_least": "2026-01-01"},
            "payment": {"type": "text", "one_of": ["card", "cash"]},
            "free": {},
        },
        "rows": {"at_least": 100},
        "keys": [["id", "pickup"]],
        "other_columns": "refuse",
    }
)


def test_it_comes_back_the_same():
    assert Contract.of_yaml(teaching_yaml(WHOLE, "trips")) == WHOLE


def test_what_it_does_not_say_stands_in_comments_that_can_be_uncommented():
    text = teaching_yaml(WHOLE, "trips")
    assert "# keys:" not in text
    assert "# freshness: {column: pickup, hours: 24}" in text
    examples = "\n".join(
        re.findall(r"^# ((?:freshness|most_duplicates|foreign_keys|- |  ).*)$", text, re.MULTILINE)
    )
    added = Contract.of_yaml(f"{text}\n{examples}\n")
    assert added.freshness.column == "pickup"
    assert added.foreign_keys[0].references == ("id",)
    assert added.most_duplicates == 0


def test_an_empty_contract_is_a_file_too():
    text = teaching_yaml(Contract(), "nothing")
    assert yaml.safe_load(text) is None
    assert "# keys:" in text


@pytest.mark.parametrize("source", ["a\nkeys: [[x]]", "tr\x00ips", "\u2028columns: 1", "ü" * 300])
def test_the_name_of_a_table_stays_a_comment(source):
    assert Contract.of_yaml(teaching_yaml(WHOLE, source)) == WHOLE


NAMES = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=4), min_size=1, max_size=4))
def test_any_names_and_values_come_back(columns):
    contract = Contract(columns={name: ColumnRule(one_of=tuple(values)) for name, values in columns.items()})
    assert Contract.of_yaml(teaching_yaml(contract, "x")) == contract
