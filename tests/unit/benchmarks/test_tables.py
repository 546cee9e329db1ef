"""Tables for benchmarks: the same for the same seed, and dirty in a known way."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks import tables

pytestmark = pytest.mark.unit


def test_a_table_is_the_same_again_and_of_the_asked_size(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PART_ROWS", 30_000)
    paths = tables.write_table(tmp_path / "a", 50_000, seed=1)
    assert [pq.ParquetFile(path).metadata.num_rows for path in paths] == [30_000, 20_000]
    again = tables.write_table(tmp_path / "b", 50_000, seed=1)
    both = [pa.concat_tables(pq.read_table(path) for path in files) for files in (paths, again)]
    assert both[0].equals(both[1])
    assert both[0].column_names == [*tables.NUMBERS, *tables.WORDS]
    # Half of the number columns lack values; three rows are there twice.
    assert sum(both[0][name].null_count > 0 for name in tables.NUMBERS) == 5
    assert 50_000 - both[0].group_by(both[0].column_names).aggregate([]).num_rows == 3
