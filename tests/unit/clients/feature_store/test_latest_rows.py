from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airfoil.clients.feature_store import latest_rows
from airfoil.clients.feature_store.latest_rows import Limits, Source, Window
from airfoil.errors import ConfigurationError, NotFoundError, StorageError

pytestmark = pytest.mark.unit

ALL = Window(-(2**60), 2**60)


def write(path, rows, unit="us", **options):
    keys, other, event, created = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = pa.table(
        {
            "a": pa.array(keys, pa.int64()),
            "b": pa.array(other, pa.string()),
            "at": pa.array(event, pa.int64()).cast(pa.timestamp(unit, "UTC")),
            "made": pa.array(created, pa.int64()).cast(pa.timestamp(unit)),
            "x": pa.array(range(len(rows)), pa.int64()),
        }
    )
    pq.write_table(table, path, **options)
    return path


def source(*files, keys=("a", "b"), created="made"):
    return Source(tuple(files), keys, ("x",), "at", created)


def chosen(read_source, window=ALL):
    return sorted(x for batch in latest_rows.read(read_source, window) for x in batch.column("x").to_pylist())


def naive(rows, window=ALL):
    """The last row by event time, then created time (a missing one is oldest), then place in the file."""
    best = {}
    for place, (a, b, at, made) in enumerate(rows):
        if at is None or not window.start_us <= at <= window.end_us:
            continue
        rank = (at, made is not None, made or 0, place)
        best[a, b] = max(best.get((a, b), rank), rank)
    return sorted(rank[-1] for rank in best.values())


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["u", "v"]),
        st.none() | st.integers(0, 6),
        st.none() | st.integers(0, 3),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, start=st.integers(0, 6), length=st.integers(0, 6), group=st.integers(1, 20))
def test_one_row_for_each_entity_and_always_the_newest(tmp_path, rows, start, length, group):
    path = write(tmp_path / "rows.parquet", rows, row_group_size=group)
    window = Window(start, start + length)
    assert chosen(source(path), window) == naive(rows, window)
    assert chosen(source(path)) == naive(rows)


def test_rows_of_several_files_compete(tmp_path):
    rows = [(1, "u", 5, 0), (2, "u", 5, 0), (1, "u", 6, 0), (2, "u", 4, 0)]
    write(tmp_path / "1.parquet", rows[:2])
    second = pq.read_table(write(tmp_path / "2.parquet", rows[2:]))
    pq.write_table(second.set_column(4, "x", pa.array([2, 3])), tmp_path / "2.parquet")
    assert chosen(source(*latest_rows.parquet_files(tmp_path))) == [1, 2]
    assert chosen(source(*latest_rows.parquet_files(tmp_path / "*.parquet"))) == [1, 2]


def test_a_nanosecond_decides(tmp_path):
    path = write(tmp_path / "rows.parquet", [(1, "u", 1001, 0), (1, "u", 1000, 0)], unit="ns")
    assert chosen(source(path)) == [0]
    assert chosen(source(path), Window(1, 1)) == [1]


def test_without_keys_all_rows_are_one_entity(tmp_path):
    path = write(tmp_path / "rows.parquet", [(1, "u", 1, 0), (2, "v", 3, 0), (3, "v", 2, 0)])
    assert chosen(source(path, keys=())) == [1]


def test_row_groups_outside_the_window_are_not_read(tmp_path, monkeypatch):
    path = write(tmp_path / "rows.parquet", [(n, "u", n, 0) for n in range(100)], row_group_size=10)
    read = []
    original = latest_rows._batches
    monkeypatch.setattr(
        latest_rows,
        "_batches",
        lambda groups, *rest: read.append({one.number for one in groups}) or original(groups, *rest),
    )
    assert chosen(source(path), Window(33, 52)) == list(range(33, 53))
    assert read == [{3, 4, 5}, {3, 4, 5}]


def test_batches_are_bounded_and_gaps_are_closed(tmp_path):
    count = 3 * latest_rows.BATCH_ROWS
    path = write(tmp_path / "rows.parquet", [(n // 2, "u", n, 0) for n in range(count)])
    sizes = [batch.num_rows for batch in latest_rows.read(source(path), ALL)]
    assert sum(sizes) == count // 2
    assert max(sizes) <= latest_rows.BATCH_ROWS
    assert len(sizes) <= 3


def test_what_does_not_fit_is_spilled_and_the_folder_is_removed(tmp_path):
    generator = np.random.default_rng(1)
    count = 300_000
    table = pa.table(
        {
            "a": generator.integers(0, 200_000, count),
            "at": pa.array(generator.permutation(count)).cast(pa.timestamp("us")),
            "x": np.arange(count),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=50_000)
    spill = tmp_path / "spill"
    spill.mkdir()
    limits = Limits(memory_mib=24, threads=1, spill_folder=spill)
    wanted = Source((tmp_path / "rows.parquet",), ("a",), ("x",), "at")
    batches = list(latest_rows.read(wanted, ALL, limits))
    assert sum(one.num_rows for one in batches) == len(set(table["a"].to_pylist()))
    assert list(spill.iterdir()) == []


@pytest.mark.parametrize("rows", [[], [(1, "u", None, None)]])
def test_nothing_in_the_window_is_no_batch(tmp_path, rows):
    assert chosen(source(write(tmp_path / "rows.parquet", rows))) == []


def test_moments_without_a_zone_are_utc():
    naive_one = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
    aware = dt.datetime(2026, 1, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert Window.between(naive_one, aware) == Window(1_767_225_600_000_000, 1_767_225_600_000_000)


def test_dates_count_as_their_first_moment():
    assert latest_rows.microseconds(pa.array([dt.date(1970, 1, 2)])).tolist() == [86_400_000_000]


def test_a_missing_file_a_missing_column_and_a_wrong_type_are_one_clear_error(tmp_path):
    with pytest.raises(NotFoundError, match="no Parquet file at"):
        latest_rows.parquet_files(tmp_path / "none.parquet")
    path = write(tmp_path / "rows.parquet", [(1, "u", 1, 0)])
    with pytest.raises(ConfigurationError, match="has no column 'nope'"):
        chosen(Source((path,), ("a",), ("nope",), "at"))
    with pytest.raises(ConfigurationError, match=r"'x' of .* holds int64, not timestamps"):
        chosen(Source((path,), ("a",), ("b",), "x"))
    with pytest.raises(NotFoundError, match="gone"):
        chosen(source(tmp_path / "gone.parquet"))


def test_a_cut_off_file_is_one_clear_error(tmp_path):
    path = write(tmp_path / "rows.parquet", [(n, "u", n, 0) for n in range(1000)])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StorageError, match="cannot be read"):
        chosen(source(path))
