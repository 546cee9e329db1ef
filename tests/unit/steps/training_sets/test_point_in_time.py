"""The point-in-time join against a naive one that is written as one would tell it, and with all that tables hold."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError, StorageError, TableError
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets import FeatureTable, join_features, places, point_in_time

pytestmark = pytest.mark.unit
START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", "UTC")
ENTITIES = pa.schema([("key", pa.int64()), ("event_timestamp", MOMENT), ("label", pa.int64())])
FEATURES = pa.schema([("key", pa.int64()), ("at", MOMENT), ("written", MOMENT), ("value", pa.string())])


def after(seconds):
    return None if seconds is None else START + timedelta(seconds=seconds)


def naive(entities, features, *, ttl=None, known_by_then=False):
    """For each row, look at every feature row and keep the best; columns are those of ENTITIES and FEATURES."""
    found = []
    for key, moment, *_ in entities:
        best = None
        for number, (their_key, at, written, value) in enumerate(features):
            if key is None or moment is None or their_key != key or at is None or at > moment:
                continue
            if ttl is not None and at + ttl < moment:
                continue
            if known_by_then and (written is None or written > moment):
                continue
            rank = (at, written is not None, written or START, number)
            if best is None or rank > best[0]:
                best = (rank, value)
        found.append(best[1] if best else None)
    return found


def as_table(rows, schema):
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)], schema
    )


def join(entities, features, *, keys=("key",), known_by_then=False, most_mib=1024, **options):
    scans = [
        rows
        if isinstance(rows, Scan)
        else Scan.of_table(rows if isinstance(rows, pa.Table) else as_table(rows, schema))
        for rows, schema in ((entities, ENTITIES), (features, FEATURES))
    ]
    table = FeatureTable(scans[1], "at", ["value"], keys, **({"created": "written"} | options))
    return join_features(scans[0], [table], known_by_then=known_by_then, most_mib=most_mib).read_all()


seconds = st.none() | st.integers(0, 8)
some_keys = st.sampled_from([None, 1, 2, 3])
entity_rows = st.lists(st.tuples(some_keys, seconds.map(after), st.integers(0, 9)), max_size=30)
feature_rows = st.lists(
    st.tuples(some_keys, seconds.map(after), seconds.map(after), st.none() | st.sampled_from("abcdef")),
    max_size=40,
)


@given(entity_rows, feature_rows, st.none() | st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=150)
def test_the_join_is_the_naive_one(entities, features, ttl, known_by_then):
    options = {"ttl": ttl and timedelta(seconds=ttl), "known_by_then": known_by_then}
    found = join(entities, features, **options)
    assert found.select(ENTITIES.names).equals(as_table(entities, ENTITIES)), "rows came out as they went in"
    assert found["value"].to_pylist() == naive(entities, features, **options)


@given(entity_rows, feature_rows, st.integers(1, 7), st.integers(1, 7), st.booleans())
@settings(deadline=None, max_examples=60)
def test_portions_and_batches_change_nothing(entities, features, portion, batch, known_by_then):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_in_time, "_LEAST_ROWS", portion)
        patch.setattr(point_in_time, "_MOST_ROWS", portion)
        patch.setattr(point_in_time, "OUT_ROWS", 2)
        patch.setattr(point_in_time, "BATCH_VALUES", batch * 4)
        patch.setattr(places, "_CHUNK_ROWS", 3)
        found = join(entities, features, known_by_then=known_by_then)
    assert found["value"].to_pylist() == naive(entities, features, known_by_then=known_by_then)
    assert found.num_rows == len(entities)


def test_a_hundred_thousand_rows_have_the_checksum_of_the_naive_join():
    """With TTL, ties, future rows, null keys and duplicates; the naive join is given each key's rows alone."""
    make = random.Random(7)  # noqa: S311 - made-up rows, no secrets
    entities = [
        (make.choice([None, *range(2000)]), after(make.randrange(10_000)), number) for number in range(99_000)
    ]
    entities += entities[:1000]
    features = [
        (
            make.randrange(2100),
            after(make.randrange(12_000) // 7 * 7),
            after(make.randrange(12_000)),
            str(number),
        )
        for number in range(60_000)
    ]
    by_key = {}
    for row in features:
        by_key.setdefault(row[0], []).append(row)
    ttl = timedelta(seconds=900)
    expected = [naive([row], by_key.get(row[0], []), ttl=ttl)[0] for row in entities]
    found = join(entities, features, ttl=ttl)
    assert checksum(found["value"].to_pylist()) == checksum(expected)
    assert found["label"].to_pylist() == [row[2] for row in entities]
    assert 0 < expected.count(None) < len(expected)


def checksum(values):
    return hashlib.sha256("\n".join(map(str, values)).encode()).hexdigest()


def test_what_is_known_at_the_very_moment_counts_and_what_ran_out_at_it_too():
    features = [(1, after(10), None, "a")]
    entities = [(1, after(second), 0) for second in (9, 10, 15, 16)]
    assert join(entities, features, ttl=timedelta(seconds=5))["value"].to_pylist() == [None, "a", "a", None]


def test_a_null_feature_of_the_newest_row_is_null_and_not_the_value_before_it():
    features = [(1, after(1), None, "old"), (1, after(2), None, None)]
    assert join([(1, after(3), 0)], features)["value"].to_pylist() == [None]


def test_a_row_that_was_filled_in_later_does_not_leak_when_asked_for():
    features = [(1, after(1), after(1), "then"), (1, after(2), after(9), "filled in")]
    entities = [(1, after(5), 0), (1, after(9), 0)]
    assert join(entities, features)["value"].to_pylist() == ["filled in", "filled in"]
    assert join(entities, features, known_by_then=True)["value"].to_pylist() == ["then", "filled in"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pa.array([1, 2, None], pa.int32()), pa.array([1, 2, None], pa.uint64())),
        (pa.array([1.0, 2.0, None]), pa.array([1, 2, None])),
        (pa.array([0.5, float("nan"), None]), pa.array([0.5, float("nan"), None], pa.float32())),
        (pa.array(["a", "ä", None]), pa.array(["a", "ä", None]).dictionary_encode()),
        (pa.array([b"a", b"\0", None]), pa.array([b"a", b"\0", None], pa.large_binary())),
        (pa.array([b"ab", b"cd", None], pa.binary(2)), pa.array([b"ab", b"cd", None], pa.binary(2))),
        (pa.array([True, False, None]), pa.array([True, False, None])),
        (
            pa.array([date(2026, 1, 1), date(1, 1, 1), None]),
            pa.array([date(2026, 1, 1), date(1, 1, 1), None]),
        ),
        (pa.array([Decimal("1.5"), Decimal(2), None]), pa.array([Decimal("1.500"), Decimal("2.000"), None])),
        (
            pa.array([START, START + timedelta(1), None], MOMENT),
            pa.array([START, START + timedelta(1), None], pa.timestamp("ns")),
        ),
    ],
    ids=lambda column: str(column.type),
)
def test_a_key_may_have_any_type_and_a_null_belongs_to_nobody(ours, theirs):
    moments = pa.array([after(5)] * 3, MOMENT)
    entities = pa.table({"key": ours, "second": ["x"] * 3, "event_timestamp": moments})
    features = pa.table(
        {"id": theirs, "other": ["x"] * 3, "at": moments, "written": moments, "value": ["a", "b", "c"]}
    )
    found = join(entities, features, keys={"key": "id", "second": "other"})
    assert found["value"].to_pylist() == ["a", "b", None]


def test_a_number_with_a_fraction_is_no_whole_key():
    entities = pa.table(
        {"key": [1.0, 1.5, float("inf"), 2.0**70], "event_timestamp": pa.array([after(5)] * 4, MOMENT)}
    )
    assert join(entities, [(1, after(1), None, "a")])["value"].to_pylist() == ["a", None, None, None]


def test_all_parts_of_a_key_must_be_equal():
    moments = pa.array([after(5)] * 3, MOMENT)
    entities = pa.table({"a": ["1", "11", "1"], "b": ["11", "1", None], "event_timestamp": moments})
    features = pa.table({"a": ["1"], "b": ["11"], "at": moments[:1], "written": moments[:1], "value": ["x"]})
    assert join(entities, features, keys=["a", "b"])["value"].to_pylist() == ["x", None, None]


def test_features_without_a_key_belong_to_everybody():
    features = [(None, after(1), None, "a"), (None, after(4), None, "b")]
    entities = [(1, after(2), 0), (None, after(4), 0), (3, after(0), 0)]
    assert join(entities, features, keys=())["value"].to_pylist() == ["a", "b", None]


@pytest.mark.parametrize("ours", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("theirs", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_units_and_zones_of_moments_do_not_matter(ours, theirs, zone):
    entities = pa.table(
        {
            "key": [1, 1],
            "event_timestamp": pa.array([after(4), after(5)], pa.timestamp(ours, "America/New_York")),
        }
    )
    moments = pa.array([after(5)], MOMENT).cast(pa.timestamp(theirs, zone))
    features = pa.table({"key": [1], "at": moments, "written": moments, "value": ["a"]})
    for known_by_then in (False, True):
        assert join(entities, features, known_by_then=known_by_then)["value"].to_pylist() == [None, "a"]


def test_a_nanosecond_is_seen_from_both_sides():
    base = 1_767_225_600_000_000_000
    fine = pa.array([base - 1, base, base + 1, base + 5_000_000_001], pa.timestamp("ns"))
    features = pa.table(
        {"key": [1], "at": pa.array([base], pa.timestamp("ns")), "written": fine[:1], "value": ["a"]}
    )
    coarse = features.set_column(1, "at", features["at"].cast(pa.timestamp("us")))
    for table in (features, coarse):
        found = join(pa.table({"key": [1] * 4, "event_timestamp": fine}), table, ttl=timedelta(seconds=5))
        assert found["value"].to_pylist() == [None, "a", "a", None]
    late = pa.table({"key": [1], "at": fine[2:3], "written": fine[:1], "value": ["a"]})
    entities = pa.table(
        {"key": [1, 1], "event_timestamp": pa.array([base // 1000, base // 1000 + 1], pa.timestamp("us"))}
    )
    assert join(entities, late)["value"].to_pylist() == [None, "a"]


def test_moments_that_nanoseconds_cannot_hold_are_still_before_and_after():
    far = pa.array([datetime(1, 1, 1), datetime(9999, 12, 31)], pa.timestamp("us"))  # noqa: DTZ001 - a naive moment is meant
    features = pa.table(
        {"key": [1], "at": pa.array([0], pa.timestamp("ns")), "written": far[1:], "value": ["a"]}
    )
    assert join(pa.table({"key": [1, 1], "event_timestamp": far}), features)["value"].to_pylist() == [
        None,
        "a",
    ]
    wide = pa.table({"key": [1, 1], "at": far, "written": far, "value": ["ancient", "future"]})
    now = pa.table({"key": [1], "event_timestamp": pa.array([0], pa.timestamp("ns"))})
    assert join(now, wide)["value"].to_pylist() == ["ancient"]
    assert join(now, wide, ttl=timedelta.max)["value"].to_pylist() == ["ancient"]


def test_dates_are_moments_at_midnight():
    features = pa.table({"key": [1], "at": [date(2026, 1, 2)], "written": [date(2026, 1, 2)], "value": ["a"]})
    entities = [(1, START + timedelta(days=1, microseconds=-1), 0), (1, START + timedelta(days=1), 0)]
    assert join(entities, features)["value"].to_pylist() == [None, "a"]
    found = join(entities, features, ttl=timedelta(hours=1))
    assert found["value"].to_pylist() == [None, "a"]


def test_features_keep_their_types_whatever_they_are(tmp_path):
    values = {
        "whole": pa.array([1, None], pa.int8()),
        "price": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
        "name": pa.array(["a", None]),
        "kind": pa.array(["a", None]).dictionary_encode(),
        "vector": pa.array([[1.0, 2.0], None], pa.list_(pa.float32())),
        "nested": pa.array([{"x": 1}, None], pa.struct([("x", pa.int64())])),
        "when": pa.array([START, None], pa.timestamp("ms", timezone(timedelta(hours=1)).tzname(None)[3:])),
        "nothing": pa.nulls(2),
        "raw": pa.array([b"a", None]),
        "flag": pa.array([True, None]),
    }
    table = pa.table({"key": [1, 2], "at": pa.array([after(1)] * 2, MOMENT), **values})
    pq.write_table(table, tmp_path / "f.parquet")
    entities = Scan.of_table(as_table([(2, after(2), 0), (1, after(2), 0), (9, after(2), 0)], ENTITIES))
    for scan in (Scan.of_table(table), Scan.of_parquet([tmp_path / "f.parquet"])):
        found = join_features(entities, [FeatureTable(scan, "at", list(values), ["key"])]).read_all()
        found.validate(full=True)
        for name, column in values.items():
            if name != "kind":
                assert found.schema.field(name).type == column.type
            assert found[name].to_pylist() == [None, column[0].as_py(), None], name


def test_several_tables_are_joined_side_by_side_under_their_names():
    first = as_table([(1, after(1), None, "a")], FEATURES)
    second = as_table([(7, after(1), None, "b")], FEATURES)
    entities = pa.table(
        {"buyer": [1, 2], "shop": [7, 7], "event_timestamp": pa.array([after(2), after(0)], MOMENT)}
    )
    found = join_features(
        Scan.of_table(entities),
        [
            FeatureTable(Scan.of_table(first), "at", {"bought": "value"}, {"buyer": "key"}),
            FeatureTable(Scan.of_table(second), "at", {"sold": "value"}, {"shop": "key"}),
        ],
    ).read_all()
    assert found.column_names == ["buyer", "shop", "event_timestamp", "bought", "sold"]
    assert found.select(["bought", "sold"]).to_pylist() == [
        {"bought": "a", "sold": "b"},
        {"bought": None, "sold": None},
    ]


def test_no_rows_give_no_rows_and_no_features_give_nulls():
    features = [(1, after(1), None, "a")]
    assert join([], features).num_rows == 0
    assert join([], features).schema.names == [*ENTITIES.names, "value"]
    assert join([(1, after(2), 0)], [])["value"].to_pylist() == [None]
    nobody = pa.table({"key": pa.nulls(2), "event_timestamp": pa.nulls(2)})
    assert join(nobody, features)["value"].to_pylist() == [None, None]
    timeless = pa.table({"key": [1], "at": pa.nulls(1), "written": pa.nulls(1), "value": ["a"]})
    assert join([(1, after(2), 0)], timeless)["value"].to_pylist() == [None]


def test_rows_that_never_end_are_never_held(tmp_path):
    """Two million feature rows of one entity leave one row behind."""
    moments = pl.datetime_range(START, after(199_999), "1s", eager=True, time_unit="us")
    frame = pl.DataFrame({"key": 1, "at": moments}).with_columns(
        value=pl.col("at").dt.to_string(), written="at"
    )
    frame.write_parquet(tmp_path / "f.parquet", row_group_size=20_000)
    found = join([(1, after(150_000), 0)], Scan.of_parquet([tmp_path / "f.parquet"]))
    assert found["value"].to_pylist() == [str(after(150_000).replace(tzinfo=None)) + ".000000+00:00"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timestamp": "missing"}, "no column 'missing'"),
        ({"features": ["missing"]}, "no column 'missing'"),
        ({"keys": {"key": "missing"}}, "no column 'missing'"),
        ({"keys": {"missing": "key"}}, "no column 'missing'"),
        ({"created": "missing"}, "no column 'missing'"),
        ({"timestamp": "value"}, "holds String, not moments"),
        ({"created": "value"}, "holds String, not moments"),
        ({"keys": {"key": "value"}}, "holds Int64, and 'value' of facts holds String"),
        ({"features": {"label": "value"}}, "the name of a column of table too"),
        ({"features": []}, "Nothing is wanted"),
        ({"ttl": timedelta(0)}, "TTL of 0"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_one_sentence(change, words):
    options = {"timestamp": "at", "features": ["value"], "keys": ["key"], "name": "facts"} | change
    scan = Scan.of_table(as_table([(1, after(1), None, "a")], FEATURES))
    entities = Scan.of_table(as_table([(1, after(1), 0)], ENTITIES))
    with pytest.raises(ConfigurationError, match=words) as caught:
        join_features(entities, [FeatureTable(scan, **options)]).read_all()
    assert caught.value.next_move


def test_entity_rows_without_moments_are_refused():
    entities = Scan.of_table(pa.table({"key": [1], "event_timestamp": ["2026-01-01"]}))
    scan = Scan.of_table(as_table([], FEATURES))
    with pytest.raises(TableError, match="holds String, not moments"):
        join_features(entities, [FeatureTable(scan, "at", ["value"], ["key"])])
    with pytest.raises(TableError, match="no column 'event_time'"):
        join_features(entities, [FeatureTable(scan, "at", ["value"], ["key"])], timestamp="event_time")


def test_a_source_that_is_cut_or_rewritten_is_told_in_one_sentence(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(as_table([(1, after(1), None, "a")] * 1000, FEATURES), path)
    scan = Scan.of_parquet([path])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises((TableError, StorageError), match=r"f\.parquet"):
        join([(1, after(2), 0)], scan)
