"""CSV becomes Parquet with types that hold all values; what is no table is told with its line."""

from __future__ import annotations

import gzip

import pyarrow.parquet as pq
import pytest

from airfoil.clients import csv_tables
from airfoil.clients.csv_tables import CsvFormat, convert_csv
from airfoil.errors import ConfigurationError, TableError

pytestmark = pytest.mark.unit


@pytest.fixture
def converted(tmp_path):
    def convert(content, name="t.csv", **said):
        path, target = tmp_path / name, tmp_path / "t.parquet"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = convert_csv(path, target, CsvFormat(**said))
        return found, pq.read_table(target)

    return convert


def test_types_are_what_the_values_are(converted):
    found, table = converted("n,x,day,word,none\n1,1.5,2026-01-01,a,\n2,,2026-01-02,,\n")
    assert {one.name: str(one.type) for one in table.schema} == {
        "n": "int64",
        "x": "double",
        "day": "date32[day]",
        "word": "string",
        "none": "null",
    }
    assert table.to_pylist()[1]["word"] is None
    assert found.delimiter == ","
    assert found.types["x"] == "double"


def test_a_column_that_turns_out_to_be_wider_keeps_every_value(converted, monkeypatch):
    monkeypatch.setattr(csv_tables, "_BLOCK_BYTES", 64)
    rows = "".join(f"{number},{number},,2026-01-01\n" for number in range(50))
    _, table = converted(f"a,b,c,d\n{rows}1.5,word,7,2026-01-01 10:00:00.5\n")
    assert {one.name: str(one.type) for one in table.schema} == {
        "a": "double",
        "b": "string",
        "c": "int64",
        "d": "timestamp[ns]",
    }
    assert table.num_rows == 51
    assert table["b"].to_pylist()[-2:] == ["49", "word"]


def test_types_that_are_said_are_kept(converted):
    _, table = converted("zip,n\n00123,1\n", types={"zip": "string", "gone": "int64"})
    assert table.to_pylist() == [{"zip": "00123", "n": 1}]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("a;b\n1;2,5\n", "t.csv", {}),
        ("a\tb\n1\t2,5\n", "t.tsv", {}),
        ("a/b\n1/2,5\n", "t.csv", {"delimiter": "/"}),
        (gzip.compress(b"a;b\n1;2,5\n", mtime=0), "t.csv.gz", {}),
        ("\ufeffa;b\n1;2,5\n", "t.csv", {}),
        ("a;b\n1;2,5\n".encode("utf-16"), "t.csv", {"encoding": "utf-16"}),
        ('a;b\r\n1;"2,5"\r\n', "t.csv", {}),
    ],
)
def test_delimiter_encoding_and_compression_are_found_or_said(converted, content, name, said):
    assert converted(content, name, **said)[1].to_pylist() == [{"a": 1, "b": "2,5"}]


def test_a_header_alone_is_a_table_of_no_rows(converted):
    assert converted("a,b\n")[1].num_rows == 0


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("a,b\n1,2\n3\n", "t.csv", "a row of 1 fields where its header has 2: 3"),
        ("a,b\n1,2\n3,4,5\n", "t.csv", "a row of 3 fields where its header has 2: 3,4,5"),
        ("a,b,a\n1,2,3\n", "t.csv", "more than one column 'a'"),
        ("\n\n", "t.csv", "no header in its first line"),
        ("", "t.csv", "no header in its first line"),
        ("a,b\n1,gr\u00fc\u00df\n".encode("latin-1"), "t.csv", "is not utf-8: column 'b'"),
        ("a,b\n1,2\n".encode("utf-16"), "t.csv", "is utf-16, not utf-8"),
        (b"a,b\0\n", "t.csv", "is no text"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 9999, mtime=0)[:-9], "t.csv.gz", "cut short"),
    ],
)
def test_what_is_no_table_is_told(converted, content, name, said):
    with pytest.raises(TableError, match=said) as caught:
        converted(content, name)
    assert name in caught.value.message
    assert caught.value.next_move


def test_a_wrong_byte_far_below_is_told_too(converted, monkeypatch):
    monkeypatch.setattr(csv_tables, "_BLOCK_BYTES", 64)
    with pytest.raises(TableError, match="is not utf-8"):
        converted(b"a,b\n" + b"1,x\n" * 50 + b"1,gr\xfc\n")


@pytest.mark.parametrize("said", [{"encoding": "nope"}, {"types": {"a": "words"}}])
def test_a_format_that_does_not_exist_is_refused(converted, said):
    with pytest.raises(ConfigurationError, match=r"no encoding 'nope'|as 'words'"):
        converted("a\n1\n", **said)
