"""What the materialize benchmark makes of its seconds, and the rows that it writes."""

import pyarrow.parquet as pq
import pytest
from benchmarks import materialize

pytestmark = pytest.mark.unit


def runs(*seconds, peak_mib=300.0):
    return [{"seconds": one, "import_seconds": 5.0, "peak_mib": peak_mib} for one in seconds]


def test_the_median_is_judged_and_memory_is_the_largest():
    seen = {
        "ours": runs(6, 5, 9),
        "ours-checked": runs(10, peak_mib=390.0),
        "peer": runs(80),
        "peer-checked": runs(90),
    }
    found = materialize.assemble(seen, rows=900, equal=True, large={"rows": 2000.0, "peak_mib": 700.0})
    line = found.line()
    assert line["ours"]["seconds"] == 6
    assert line["ours"]["rows_per_second"] == 150
    assert line["ours"]["checked_rows_per_second"] == 90
    assert line["ours"]["peak_mib"] == 390
    assert line["ratio"]["seconds"] == 0.075
    assert [goal.is_met for goal in found.goals] == [True, True, False]


def test_every_key_is_there_once(tmp_path):
    table = pq.read_table(materialize._write_rows(tmp_path / "rows.parquet", 25_000))
    assert sorted(table["uid"].to_pylist()) == list(range(25_000))
    assert table.num_columns == materialize.FEATURES + 2
