"""Rows become typed or are kept aside with their reasons; a source that changed is told by its columns."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.errors import ConfigurationError, TableError
from airfoil.steps.lifecycle.cleaning import (
    CleaningRecord,
    classes_of,
    clean_rows,
    count_rows,
    require_rows,
    text_types,
)
from airfoil.steps.quality.contract import Contract
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit
CONTRACT = Contract.of(
    {
        "columns": {
            "size": {"type": "number", "nullable": False, "at_least": 0, "at_most": 10},
            "count": {"type": "integer"},
            "kind": {"type": "text", "nullable": False, "one_of": ["a", "b"]},
        },
        "rows": {"at_least": 1},
    }
)


def cleaned(rows, contract=CONTRACT):
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    found = clean_rows(Scan.of_table(table, "flowers"), contract)
    return found.rows.collect(), found.rejects.collect(), found


def row(**given):
    return {"size": "1.5", "count": "3", "kind": "a", **given}


def test_good_rows_get_their_types_and_lose_their_spaces():
    rows, rejects, _ = cleaned([row(), row(size=" 2 ", count="4.0", kind=" b "), row(count="")])
    assert rows.to_dicts() == [
        {"size": 1.5, "count": 3, "kind": "a"},
        {"size": 2.0, "count": 4, "kind": "b"},
        {"size": 1.5, "count": None, "kind": "a"},
    ]
    assert [str(one) for one in rows.dtypes] == ["Float64", "Int64", "String"]
    assert rejects.is_empty()


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"size": "wide"}, ["size is no number"]),
        ({"size": ""}, ["size is missing"]),
        ({"size": "NA"}, ["size is missing"]),
        ({"size": None}, ["size is missing"]),
        ({"size": "inf"}, ["size is not finite", "size is above 10"]),
        ({"size": "-1"}, ["size is below 0"]),
        ({"size": "11"}, ["size is above 10"]),
        ({"size": "1,5"}, ["size is no number"]),
        ({"count": "3.5"}, ["count is no whole number"]),
        ({"kind": "c"}, ["kind is none of a, b"]),
        ({"kind": "?", "count": "many"}, ["count is no whole number", "kind is missing"]),
    ],
)
def test_what_does_not_fit_is_kept_as_it_came_with_every_reason(given, reasons):
    rows, rejects, _ = cleaned([row(), row(**given)])
    assert rows.height == 1
    (rejected,) = rejects.to_dicts()
    assert (rejected["row"], rejected["reasons"]) == (2, reasons)
    for name, value in given.items():
        assert rejected[name] == (None if value in {"", "NA", "?", None} else value)


def test_a_table_with_types_is_cleaned_as_one_of_text():
    rows, rejects, _ = cleaned(
        [{"size": 1.5, "count": 3, "kind": "a"}, {"size": float("nan"), "count": 3, "kind": "a"}]
    )
    assert rows.to_dicts() == [{"size": 1.5, "count": 3, "kind": "a"}]
    assert rejects["reasons"].to_list() == [["size is missing"]]


def test_large_whole_numbers_stay_whole():
    rows, _, _ = cleaned([row(count=str(2**62 + 1))])
    assert rows["count"].to_list() == [2**62 + 1]


def test_truth_and_time_are_read():
    contract = Contract.of(
        {
            "columns": {
                "ok": {"type": "boolean"},
                "day": {"type": "date", "at_least": "2026-01-01"},
                "at": {"type": "timestamp"},
            }
        }
    )
    good = {"ok": "Yes", "day": "2026-02-03", "at": "2026-02-03T04:05:06"}
    rows, rejects, _ = cleaned(
        [good, {**good, "ok": "maybe"}, {**good, "day": "2025-12-31"}, {**good, "at": "noon"}], contract
    )
    assert rows.to_dicts() == [
        {"ok": True, "day": dt.date(2026, 2, 3), "at": dt.datetime(2026, 2, 3, 4, 5, 6)}  # noqa: DTZ001 - a source's own
    ]
    assert rejects["reasons"].to_list() == [
        ["ok is no boolean"],
        ["day is below 2026-01-01"],
        ["at is no time"],
    ]


def test_text_is_held_against_its_pattern_whole():
    contract = Contract.of({"columns": {"zip": {"type": "text", "matches": "[0-9]{5}"}}})
    rows, rejects, _ = cleaned([{"zip": "01234"}, {"zip": "012345"}], contract)
    assert rows["zip"].to_list() == ["01234"]
    assert rejects["reasons"].to_list() == [["zip is not written as [0-9]{5}"]]


def test_columns_that_are_gone_are_named_with_those_that_are_there():
    with pytest.raises(TableError) as raised:
        cleaned([{"Size": "1", "count": "1", "kind": "a"}])
    assert "flowers has no column 'size'; it has Size, count, kind" in raised.value.message
    assert "Is it 'Size' now?" in raised.value.next_move


def test_columns_that_nobody_asked_for_are_left_out_and_optional_ones_may_be_missing():
    contract = Contract.of({"columns": {"size": {"type": "number"}, "hue": {"required": False}}})
    rows, _, _ = cleaned([{"size": "1", "extra": "x"}], contract)
    assert rows.columns == ["size"]


def test_a_contract_that_asks_nothing_of_values_takes_all_rows():
    rows, rejects, _ = cleaned([{"zip": "1"}, {"zip": None}], Contract.of({"columns": {"zip": {}}}))
    assert rows["zip"].to_list() == ["1", None]
    assert rejects.is_empty()


def test_reasons_are_counted_the_most_frequent_first():
    bad = [row(kind="x"), row(kind="y"), row(size="wide")]
    rows, _, found = cleaned([row(), *bad])
    counted = count_rows(rows.height, found.rejects)
    assert counted == CleaningRecord(
        rows=1, rejected=3, reasons={"kind is none of a, b": 2, "size is no number": 1}
    )
    assert counted.in_words == "1 rows taken, 3 rejected: kind is none of a, b (2); size is no number (1)"
    assert count_rows(4, cleaned([row()])[2].rejects).in_words == "4 rows taken, 0 rejected"


def test_a_source_of_which_little_is_left_is_refused():
    few = CleaningRecord(rows=0, rejected=3, reasons={"size is missing": 3})
    with pytest.raises(
        TableError, match="flowers has too few rows: 0 rows taken, 3 rejected: size is missing"
    ):
        require_rows(few, CONTRACT, 1.0, "flowers")
    some = CleaningRecord(rows=8, rejected=2, reasons={"size is missing": 2})
    require_rows(some, CONTRACT, 0.2, "flowers")
    with pytest.raises(TableError, match="at most 10% may be rejected"):
        require_rows(some, CONTRACT, 0.1, "flowers")


def test_a_contract_that_cannot_be_cleaned_by_is_refused():
    with pytest.raises(ConfigurationError, match="names no columns"):
        cleaned([row()], Contract.of({"rows": {"at_least": 1}}))
    with pytest.raises(ConfigurationError, match="cannot be called 'row' here"):
        cleaned([row()], Contract.of({"columns": {"row": {}}}))
    with pytest.raises(ConfigurationError, match="'count' is to be of type binary"):
        cleaned([row()], Contract.of({"columns": {"count": {"type": "binary"}}}))


def test_classes_are_those_of_the_contract_in_its_order():
    assert classes_of(CONTRACT, "kind") == ("a", "b")
    for target in ("size", "nothing"):
        with pytest.raises(ConfigurationError, match=f"which classes the column '{target}' has"):
            classes_of(CONTRACT, target)
    assert text_types(CONTRACT) == {"size": "string", "count": "string", "kind": "string"}
