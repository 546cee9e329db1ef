"""Which files are meant, and what they are."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.csv_tables import CsvFormat
from airfoil.clients.source_files import kind_of_file, local_files, table_of_files
from airfoil.errors import NotFoundError, TableError
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def scan_of_files(files, folder, name, csv):
    table = table_of_files(files, folder, name, csv)
    return Scan.of_parquet(table.paths, table.name)


TABLE = pa.table({"a": [1, 2], "b": [[1], None]})


def test_a_path_a_folder_and_a_pattern_mean_files(tmp_path):
    for name in (
        "x/b.csv",
        "x/a.csv",
        "x/deep/c.csv",
        "x/_SUCCESS.txt",
        "x/.hidden.csv",
        "x/_tmp/d.csv",
        "x/e.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n1\n")
    names = [path.name for path in local_files(str(tmp_path / "x"), "x")]
    assert names == ["a.csv", "b.csv", "c.csv"]
    assert [path.name for path in local_files(str(tmp_path / "x/[ab].csv"), "x")] == ["a.csv", "b.csv"]
    assert len(local_files(str(tmp_path / "**/*.csv"), "x")) >= 3
    assert local_files(str(tmp_path / "x/e.md"), "x") == [tmp_path / "x/e.md"]
    for nothing in ("gone", "gone*.csv", "x/deep/*.parquet"):
        with pytest.raises(NotFoundError, match="nothing lies at"):
            local_files(str(tmp_path / nothing), "x")


def test_the_first_bytes_say_what_a_file_is(tmp_path):
    pq.write_table(TABLE, tmp_path / "p.csv")
    with pa.ipc.new_file(str(tmp_path / "f.arrow"), TABLE.schema) as writer:
        writer.write_table(TABLE)
    with pa.OSFile(str(tmp_path / "s.arrow"), "wb") as sink, pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    (tmp_path / "c").write_text("a\n1\n")
    found = [kind_of_file(tmp_path / name) for name in ("p.csv", "f.arrow", "s.arrow", "c")]
    assert found == ["parquet", "arrow", "arrow stream", "csv"]
    for name in ("f.arrow", "s.arrow"):
        scan = scan_of_files([tmp_path / name], tmp_path / name[0], "t", CsvFormat())
        assert [batch.to_pylist() for batch in scan.batches()] == [TABLE.to_pylist()]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty: it has no bytes"),
        ("a.parquet", b"<html>", "is no Parquet file"),
        ("a.feather", b"what", "is no Arrow file"),
        ("a.csv", b' {"a": 1}', "looks like JSON"),
        ("a.arrow", b"ARROW1\0\0cut", "cannot be read|cut short"),
        ("a.parquet", b"PAR1cut", "cut short"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=said):
        scan_of_files([path], tmp_path / "work", "t", CsvFormat())


def test_files_of_several_kinds_are_no_table(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    pq.write_table(TABLE, tmp_path / "b.parquet")
    with pytest.raises(TableError, match=r"of several kinds: a\.csv and b\.parquet"):
        scan_of_files(local_files(str(tmp_path), "t"), tmp_path / "work", "t", CsvFormat())


def test_csv_files_of_one_folder_share_the_widest_types(tmp_path):
    for name, text in (("a", "n,m\n1,1\n"), ("b", "n,m\n2.5,2\n"), ("c", "n,m\nword,3\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    scan = scan_of_files(local_files(str(tmp_path / "*.csv"), "t"), tmp_path / "work", "t", CsvFormat())
    assert scan.lazy().collect().to_dict(as_series=False) == {"n": ["1", "2.5", "word"], "m": [1, 2, 3]}
    (tmp_path / "d.csv").write_text("n\n1\n")
    with pytest.raises(TableError, match=r"d\.csv lacks the column 'm'"):
        scan_of_files(local_files(str(tmp_path / "*.csv"), "t"), tmp_path / "again", "t", CsvFormat())
