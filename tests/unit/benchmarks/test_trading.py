"""What the trading benchmark makes of its seconds, and when both sides agree."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks import trading

pytestmark = pytest.mark.unit


def side(seconds, mib):
    return {"import_seconds": 1.0, "seconds": seconds, "peak_mib": mib}


@pytest.mark.parametrize(
    ("seconds", "mib", "met"),
    [(2.0, 200.0, [True, True]), (90.0, 200.0, [False, True]), (2.0, 900.0, [True, False])],
)
def test_our_seconds_and_memory_are_the_goals(seconds, mib, met):
    seen = {"ours": side(seconds, mib), "peer": side(40.0, 500.0)}
    found = trading.assemble(seen, 500, 250_000, equal=True)
    assert found.line()["ratio"]["seconds"] == pytest.approx(seconds / 40, abs=1e-3)
    assert [goal.is_met for goal in found.goals] == met


@pytest.mark.parametrize(
    ("ours", "peer", "equal"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.0 + 1e-10]}, True),
        ({"a": [1.0, float("nan")]}, {"a": [1.0, float("nan")]}, True),
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.0 + 1e-6]}, False),
        ({"a": [1.0, 2.0]}, {"a": [1.0, float("nan")]}, False),
        ({"a": [1.0, 2.0]}, {"a": [1.0]}, False),
        ({"a": [1.0]}, {"b": [1.0]}, False),
    ],
)
def test_tables_agree_to_nine_digits(ours, peer, equal, tmp_path):
    for name, table in (("ours", ours), ("peer", peer)):
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    assert trading._agree(tmp_path) is equal


def test_both_sides_find_the_same_on_a_small_market(tmp_path):
    trading.write_prices(tmp_path, 2, 9)
    for run in trading._SIDES.values():
        assert run(tmp_path, 10)["seconds"] > 0
    assert pq.read_metadata(tmp_path / "ours.parquet").num_rows == 10
    assert trading._agree(tmp_path)
