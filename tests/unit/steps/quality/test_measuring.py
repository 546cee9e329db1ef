"""Everything that a contract asks is counted, on good and on bad tables."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.errors import ConfigurationError, NotFoundError
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def counts(table, text, tables=None, **options):
    measured = measure(Scan.of_table(pa.table(table), "t"), Contract.of_yaml(text), tables, **options)
    return {
        (question.check, *question.columns): (count.checked, count.failed)
        for question, count in zip(measured.questions, measured.counts, strict=True)
        if not question.moot and question.check not in {"rows", "column"}
    }


def test_each_check_is_counted_over_what_it_is_about():
    table = {"id": [1, 2, 2, None], "w": ["a", None, "c", "c"], "x": [1.0, float("nan"), float("inf"), -1.0]}
    text = """
columns:
  id: {type: integer, unique: true}
  w: {nullable: false, one_of: [a], matches: "[ab]"}
  x: {finite: true, most_missing: 0.5, at_least: 0}
other_columns: refuse
most_duplicates: 0
foreign_keys: [{columns: [w], table: words}]
"""
    words = Scan.of_table(pa.table({"w": ["a"]}))
    assert counts(table, text, {"words": words}) == {
        ("other_columns",): (3, 0),
        ("type", "id"): (3, 0),
        ("missing", "w"): (4, 1),
        ("set", "w"): (3, 2),
        ("pattern", "w"): (3, 2),
        ("missing", "x"): (4, 1),
        ("finite", "x"): (3, 1),
        ("range", "x"): (3, 1),
        ("key", "id"): (3, 1),
        ("duplicates",): (4, 0),
        ("foreign_key", "w"): (3, 2),
    }


def test_examples_are_the_rows_that_failed_with_their_key():
    contract = Contract.of_yaml("columns: {id: {unique: true}, x: {at_least: 0}}")
    measured = measure(Scan.of_table(pa.table({"id": [7, 8], "x": [1, -1]})), contract)
    told = {one.check: count.examples for one, count in zip(measured.questions, measured.counts, strict=True)}
    assert told["range"] == ({"row": 1, "id": 8, "x": -1},)
    without = measure(Scan.of_table(pa.table({"id": [7, 8], "x": [1, -1]})), contract, examples=0)
    assert all(count.examples == () for count in without.counts)


def test_a_column_of_another_type_says_what_it_holds_and_how_much_could_be_read():
    contract = Contract.of_yaml("columns: {n: {type: integer}}")
    measured = measure(Scan.of_table(pa.table({"n": ["1", "x", None]})), contract)
    count = measured.counts[-1]
    assert (count.is_broken, count.note) == (
        True,
        "it holds string, and 1 of 2 values cannot be read as integer",
    )
    assert count.examples == ({"row": 1, "n": "x"},)


def test_duplicates_need_not_be_counted():
    scan = Scan.of_table(pa.table({"a": [1, 1]}))
    assert measure(scan, Contract()).duplicate_rows == 1
    assert measure(scan, Contract(), count_duplicates=False).duplicate_rows is None
    assert measure(scan, Contract(most_duplicates=0), count_duplicates=False).duplicate_rows == 1


def test_the_newest_moment_is_utc_where_it_has_no_zone():
    contract = Contract.of_yaml("freshness: {column: at, hours: 1}")
    naive = pa.array([dt.datetime(2026, 1, 1), None], pa.timestamp("ns"))  # noqa: DTZ001 - the case under test
    scan = Scan.of_table(pa.table({"at": naive}))
    assert measure(scan, contract).newest == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    day = Scan.of_table(pa.table({"at": [dt.date(2026, 1, 1)]}))
    assert measure(day, contract).newest == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    never = Scan.of_table(pa.table({"at": pa.array([None], pa.timestamp("s"))}))
    assert measure(never, contract).newest is None


def test_a_table_that_a_key_refers_to_has_to_be_handed_in():
    with pytest.raises(ConfigurationError, match="refers to the table 'words'"):
        counts({"w": ["a"]}, "foreign_keys: [{columns: [w], table: words}]")


@pytest.mark.parametrize("rows", [0, 3])
def test_five_thousand_columns_and_no_rows_are_only_slower(rows):
    table = pa.table({f"c{number}": [1.5] * rows for number in range(5000)})
    contract = Contract.of(
        {"columns": {f"c{number}": {"type": "number", "at_least": 2} for number in range(0, 5000, 10)}}
        if rows
        else {}
    )
    measured = measure(Scan.of_table(table, "wide"), contract)
    assert len(measured.columns) == 5000
    assert measured.rows == rows
    assert measured.duplicate_rows == max(0, rows - 1)
    failed = [
        count.failed
        for one, count in zip(measured.questions, measured.counts, strict=True)
        if one.check == "range"
    ]
    assert failed == [3] * (500 if rows else 0)


def test_a_source_that_vanishes_is_one_sentence(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    scan = Scan.of_parquet([path])
    path.unlink()
    with pytest.raises(NotFoundError, match=r"t\.parquet is not there, or vanished"):
        measure(scan, Contract())


def test_the_part_about_columns_needs_no_other_table_and_counts_no_duplicates():
    scan = Scan.of_table(pa.table({"a": [1, 1]}), "t")
    contract = Contract.of_yaml("most_duplicates: 0\nforeign_keys: [{columns: [a], table: others}]")
    assert measure(scan, contract, part="schema").duplicate_rows is None
    with pytest.raises(ConfigurationError, match="'others'"):
        measure(scan, contract, part="content")
