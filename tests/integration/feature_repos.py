"""Feast repositories over one table with every kind of column, for tests of our engine beside Feast's own."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

OURS = "airfoil.clients.feature_store.engine.StreamingEngine"
START, END = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 8, tzinfo=dt.UTC)
FEATURES = (
    "small", "large", "single", "double", "flag", "word", "blob", "moment",
    "words", "longs", "doubles", "singles", "flags", "document",
)  # fmt: skip


def table(rows: int, seed: int = 0, start: dt.datetime = START) -> pa.Table:
    """Rows with gaps of all kinds, repeated keys, equal times, and times outside the week."""
    dice = np.random.default_rng(seed)
    gaps = lambda: dice.random(rows) < 0.1  # noqa: E731 - said once, used everywhere
    seconds = dice.integers(-86_400, 8 * 86_400, rows)
    event = (int(start.timestamp()) + seconds) * 1_000_000
    pick = lambda values: [values[n] for n in dice.integers(0, len(values), rows)]  # noqa: E731 - said once
    return pa.table({
        "user": pa.array(dice.integers(0, max(1, rows // 3), rows)),
        "town": pa.array(pick(["Köln", "Ōsaka", "x" * 40, ""])),
        "at": pa.array(event, pa.int64()).cast(pa.timestamp("us", "UTC")),
        # No two rows of a key are equal in both times: then nothing decides, and Feast takes any.
        "made": pa.array((int(start.timestamp()) + dice.permutation(rows)) * 1_000_000).cast(pa.timestamp("us", "UTC")),
        "small": pa.array(dice.integers(-(2**31), 2**31, rows), pa.int32(), mask=gaps()),
        "large_raw": pa.array(dice.integers(-(2**52), 2**52, rows), mask=gaps()),
        "single": pa.array(dice.normal(size=rows).astype("f4"), mask=gaps()),
        "double": pa.array(np.where(gaps(), np.nan, dice.normal(size=rows))),
        "flag": pa.array(dice.random(rows) < 0.5, mask=gaps()),
        "word": pa.array(pick(["", "a\r\nb", "$5\r\nhello\r\n", "é" * 90, None])),
        "blob": pa.array(pick([b"\x00\xff\r\n", b"x", None])),
        "moment": pa.array(event, pa.int64(), mask=gaps()).cast(pa.timestamp("us", "UTC")),
        "words": pa.array(pick([["a", ""], [], None, ["ü"] * 3]), pa.list_(pa.string())),
        "longs": pa.array(pick([[1, -2], [2**60], None]), pa.list_(pa.int64())),
        "doubles": pa.array(pick([[0.5, -1.0], [], None]), pa.list_(pa.float64())),
        "singles": pa.array(pick([[0.5] * 16, None]), pa.list_(pa.float32())),
        "flags": pa.array(pick([[True, False], None]), pa.list_(pa.bool_())),
        "document": pa.array(pick([json.dumps({"a": [1, "b"]}), None])),
    })  # fmt: skip


def write_repository(folder: Path, online: dict[str, object], *, engine: str = OURS, registry: str = "sql"):
    """A repository with one view over `folder/rows.parquet`, applied; the opened store."""
    from feast import FeatureStore

    folder.mkdir(parents=True, exist_ok=True)
    where = (
        {"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"}
        if registry == "sql"
        else {"registry_type": "file", "path": f"{folder}/registry.pb"}
    )
    (folder / "feature_store.yaml").write_text(
        json.dumps(
            {
                "project": "shop",
                "provider": "local",
                "registry": where,
                "offline_store": {"type": "file"},
                "online_store": online,
                "batch_engine": {"type": engine},
                "entity_key_serialization_version": 3,
                "materialization": {"online_write_batch_size": 1000},
            }
        )
    )
    store = FeatureStore(repo_path=str(folder))
    store.apply(definitions(folder / "rows.parquet"))
    return store


def definitions(path: Path):
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import (
        Array,
        Bool,
        Bytes,
        Float32,
        Float64,
        Int32,
        Int64,
        Json,
        String,
        UnixTimestamp,
    )  # fmt: skip

    kinds = {
        "small": Int32, "large": Int64, "single": Float32, "double": Float64, "flag": Bool, "word": String,
        "blob": Bytes, "moment": UnixTimestamp, "words": Array(String), "longs": Array(Int64),
        "doubles": Array(Float64), "singles": Array(Float32), "flags": Array(Bool), "document": Json,
    }  # fmt: skip
    entities = [
        Entity(name="user", join_keys=["user"], value_type=ValueType.INT64),
        Entity(name="town", join_keys=["town"], value_type=ValueType.STRING),
    ]
    view = FeatureView(
        name="habits",
        entities=entities,
        ttl=dt.timedelta(0),
        schema=[Field(name=name, dtype=kind) for name, kind in kinds.items()],
        source=FileSource(
            path=str(path),
            timestamp_field="at",
            created_timestamp_column="made",
            field_mapping={"large_raw": "large"},
        ),
    )
    return [*entities, view]


def write_rows(folder: Path, rows: pa.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet", row_group_size=500)


def online_values(store, keys: list[dict[str, object]], features=FEATURES) -> dict[str, list[object]]:
    """What Feast's own reader says."""
    found = store.get_online_features([f"habits:{name}" for name in features], keys).to_dict()
    # NaN is not equal to itself, and a reader that gives it twice says the same.
    return {name: [repr(one) for one in column] for name, column in found.items()}


def keys_of(rows: pa.Table) -> list[dict[str, object]]:
    pairs = set(zip(rows["user"].to_pylist(), rows["town"].to_pylist(), strict=True))
    return [{"user": user, "town": town} for user, town in sorted(pairs)]
