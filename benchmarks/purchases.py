"""Made-up purchases for benchmarks of features: a Feast repository, feature rows over 90 days, and rows to train on.

Times are whole minutes, so that rows of one key tie; `created` tells such rows apart. Written in portions: making the
data takes no more memory than a million rows do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feast import FeatureStore

FEATURES = tuple(f"feature_{number}" for number in range(10))
TTLS = {"purchases": timedelta(0), "recent_purchases": timedelta(days=30)}
"""The views on the feature rows: one whose rows are valid for ever, one whose rows are valid for a month."""
KEY, MOMENT, CREATED = "customer", "event_timestamp", "created"
_DAYS = 90
_START_MINUTE = 29_450_880  # the first of January 2026
_MINUTE_MICROSECONDS = 60_000_000
_PORTION_ROWS = 1_000_000


@dataclass(frozen=True)
class Purchases:
    """Where the data lies and how much of it there is."""

    folder: Path
    feature_rows: int
    entity_rows: int

    @property
    def keys(self) -> int:
        """A hundred feature rows for each customer."""
        return max(1, self.feature_rows // 100)

    @property
    def features(self) -> Path:
        """The feature rows, in order of time, as a log of events is."""
        return self.folder / "purchases.parquet"

    @property
    def entities(self) -> Path:
        """The rows to train on, in no order."""
        return self.folder / "entities.parquet"

    def write(self) -> None:
        """Write the data and the repository's registry."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_features()
        self._write_entities()
        _apply(self.store(), self)

    def store(self) -> FeatureStore:
        """Open the repository, with Feast's duckdb offline store."""
        from feast import FeatureStore, RepoConfig

        config = RepoConfig(
            project="benchmark",
            provider="local",
            registry=str(self.folder / "registry.db"),
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": str(self.folder / "online.db")},
            entity_key_serialization_version=3,
        )
        return FeatureStore(config=config)

    def _write_features(self) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        random, writer = np.random.default_rng(7), None
        for begin in range(0, self.feature_rows, _PORTION_ROWS):
            rows = min(_PORTION_ROWS, self.feature_rows - begin)
            first, last = (_DAYS * 1440 * row // self.feature_rows for row in (begin, begin + rows))
            minutes = np.sort(random.integers(first, last, rows, endpoint=True))
            columns = {
                KEY: pa.array(random.integers(0, self.keys, rows)),
                MOMENT: _moments(minutes),
                CREATED: _moments(minutes, random.permutation(rows)),
                **{name: pa.array(random.standard_normal(rows)) for name in FEATURES},
            }
            table = pa.table(columns)
            writer = writer or pq.ParquetWriter(self.features, table.schema)
            writer.write_table(table)
        if writer:
            writer.close()

    def _write_entities(self) -> None:
        """One in a hundred is a customer without features, and one in a hundred stands there twice."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        random = np.random.default_rng(8)
        first = self.entity_rows - self.entity_rows // 100
        rows = np.concatenate([np.arange(first), np.arange(self.entity_rows - first)])
        keys = random.integers(0, self.keys + self.keys // 100, first)
        minutes = random.integers(0, _DAYS * 1440, first)
        table = {
            KEY: pa.array(keys[rows]),
            MOMENT: _moments(minutes[rows]),
            "row": pa.array(np.arange(self.entity_rows)),
        }
        pq.write_table(pa.table(table), self.entities)


def _moments(minutes: Any, more_microseconds: Any = 0) -> Any:
    import pyarrow as pa

    ticks = (minutes + _START_MINUTE) * _MINUTE_MICROSECONDS + more_microseconds
    return pa.array(ticks).cast(pa.timestamp("us", "UTC"))


def _apply(store: FeatureStore, data: Purchases) -> None:
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64, Int64

    customer = Entity(name=KEY, join_keys=[KEY], value_type=ValueType.INT64)
    source = FileSource(path=str(data.features), timestamp_field=MOMENT, created_timestamp_column=CREATED)
    schema = [Field(name=KEY, dtype=Int64), *(Field(name=name, dtype=Float64) for name in FEATURES)]
    views = [
        FeatureView(name=name, source=source, entities=[customer], ttl=ttl, schema=schema)
        for name, ttl in TTLS.items()
    ]
    store.apply([customer, *views])
