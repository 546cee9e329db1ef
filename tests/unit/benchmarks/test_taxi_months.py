"""The two months that both taxi benchmarks read."""

import pyarrow.parquet as pq
import pytest
from benchmarks.taxi_months import write_months

pytestmark = pytest.mark.unit


def test_both_months_are_written_and_differ(tmp_path):
    files = write_months(tmp_path / "months", 1000)
    tables = [pq.read_table(file) for file in files]
    assert [table.num_rows for table in tables] == [1000, 1000]
    assert tables[0].schema == tables[1].schema
    assert not tables[0].equals(tables[1])
