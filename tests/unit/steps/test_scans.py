"""A scan gives the same rows to every engine, again and again, and tells well what stands in the way."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from airfoil.errors import NotFoundError, StorageError, TableError
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

ZONED = pa.timestamp("ns", tz="Europe/Berlin")
TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int64()),
        "x": [1.5, float("nan"), float("-inf")],
        "word": ["a", "", None],
        "price": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-0.01")], pa.decimal128(10, 2)),
        "at": pa.array([0, 1, None], ZONED),
        "day": [dt.date(2026, 1, 1), None, dt.date(2026, 1, 3)],
        "items": [[1, 2], [], None],
        "place": [{"lat": 1.0}, None, {"lat": None}],
    }
)


def of_parquet(folder):
    for number, part in enumerate((TABLE.slice(0, 2), TABLE.slice(2))):
        pq.write_table(part, folder / f"part[{number}].parquet")
    return Scan.of_parquet(sorted(folder.glob("*.parquet")), "parts")


def of_ipc(folder):
    with pa.OSFile(str(folder / "t.arrow"), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return Scan.of_dataset(pads.dataset(folder / "t.arrow", format="ipc"))


def of_dataset_of_parquet(folder):
    of_parquet(folder)
    return Scan.of_dataset(pads.dataset(folder))


SOURCES = {
    "parquet": of_parquet,
    "table": lambda _: Scan.of_table(TABLE),
    "ipc": of_ipc,
    "parquet dataset": of_dataset_of_parquet,
}


@pytest.fixture(params=SOURCES.values(), ids=SOURCES)
def scan(request, tmp_path):
    return request.param(tmp_path)


def test_every_engine_sees_the_same_rows_again_and_again(scan):
    duckdb = pytest.importorskip("duckdb")
    assert scan.columns == tuple(TABLE.column_names)
    for _ in range(2):
        frame = scan.lazy().select("n", "word", "day").collect(engine="streaming")
        assert frame.to_dict(as_series=False) == TABLE.select(["n", "word", "day"]).to_pydict()
        with duckdb.connect() as connection:
            rows = scan.relation(connection).project("n, price, word").fetchall()
        assert rows == list(zip(*TABLE.select(["n", "price", "word"]).to_pydict().values(), strict=True))
        assert sum(batch.num_rows for batch in scan.batches()) == 3


def test_batches_are_of_the_asked_columns_and_size(scan):
    batches = list(scan.batches(["word", "n"], rows=1))
    assert [batch.num_rows for batch in batches] == [1, 1, 1]
    assert batches[0].schema.names == ["word", "n"]
    assert pa.Table.from_batches(batches).to_pydict() == TABLE.select(["word", "n"]).to_pydict()


def test_a_slice_of_a_lazy_table_is_a_slice(scan):
    assert scan.lazy().select("n").head(2).collect(engine="streaming")["n"].to_list() == [1, None]


def test_columns_can_be_had_under_plain_names_whatever_they_are_called():
    table = pa.table({"c1": [1], "*": [2], "^c.*$": [3], "": [4]})
    frame = Scan.of_table(table).numbered(["^c.*$", "*", "c1", ""]).collect()
    assert frame.to_dict(as_series=False) == {"c0": [3], "c1": [2], "c2": [1], "c3": [4]}


def test_rows_are_counted_where_they_are_not_known(scan):
    assert scan.rows in {3, None}
    assert scan.count() == 3


def test_no_rows_are_no_error(tmp_path):
    pq.write_table(TABLE.slice(0, 0), tmp_path / "none.parquet")
    scan = Scan.of_parquet([tmp_path / "none.parquet"])
    assert (scan.rows, list(scan.batches()), scan.name) == (0, [], "none.parquet")
    assert scan.lazy().collect(engine="streaming").height == 0


def test_a_column_name_stands_for_one_column():
    with pytest.raises(TableError, match="more than one column 'x'"):
        Scan.of_table(pa.table([[1], [2]], names=["x", "x"]))
    with pytest.raises(TableError, match="has no columns"):
        Scan.of_table(pa.table({}))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"n": ["1"]}, "has 'n' as string, not as int64"),
        ({"m": [1]}, "lacks the column 'n'"),
        ({"n": [1], "m": [1]}, "has 'm' besides"),
    ],
)
def test_files_that_are_no_single_table_are_named(tmp_path, other, said):
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table(other), tmp_path / "b.parquet")
    with pytest.raises(TableError, match=f"no single table: b.parquet {said}"):
        Scan.of_parquet([tmp_path / "a.parquet", tmp_path / "b.parquet"])


def test_a_missing_a_damaged_and_an_empty_file_are_told_apart(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(NotFoundError, match=r"t\.parquet is not there"):
        Scan.of_parquet([path])
    pq.write_table(TABLE, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TableError, match=r"t\.parquet is damaged or was cut short") as caught:
        Scan.of_parquet([path])
    assert caught.value.__cause__ is not None
    path.write_bytes(b"")
    with pytest.raises(TableError, match="damaged or was cut short"):
        Scan.of_parquet([path])
    with pytest.raises(TableError, match="has no files"):
        Scan.of_parquet([])


def test_a_file_that_vanishes_between_two_passes_is_an_error(tmp_path):
    scan = of_parquet(tmp_path)
    (tmp_path / "part[1].parquet").unlink()
    with pytest.raises(NotFoundError, match="parts is not there, or vanished"), scan.reading():
        scan.lazy().collect(engine="streaming")


@pytest.mark.parametrize("engine", ["polars", "duckdb", "arrow"])
def test_a_file_that_shrinks_or_changes_while_it_is_read_is_an_error(tmp_path, engine):
    import duckdb

    scan = of_parquet(tmp_path)
    with pytest.raises((TableError, StorageError)), scan.reading():
        (tmp_path / "part[1].parquet").write_bytes(b"PAR1")
        if engine == "polars":
            scan.lazy().collect(engine="streaming")
        elif engine == "duckdb":
            with duckdb.connect() as connection:
                scan.relation(connection).fetchall()
        else:
            list(scan.batches())
    scan = of_parquet(tmp_path)
    with pytest.raises(StorageError, match="changed while it was being read"), scan.reading():
        pq.write_table(TABLE, tmp_path / "part[0].parquet")


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    batches = of_parquet(tmp_path).batches(rows=1)
    assert next(batches).num_rows == 1
    batches.close()
