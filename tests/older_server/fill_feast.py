"""Run by the Python of an older Feast: a registry with an entity and a view."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from words import FEATURE_VIEW

STORE = """project: shop
provider: local
registry: {registry_type: sql, path: "%s"}
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""


def main() -> None:
    """Fill the database that the variable names; a registry is made where Feast is started."""
    import pandas as pd
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    pd.DataFrame({"customer_id": [1], "orders": [3], "event_timestamp": [datetime.now(UTC)]}).to_parquet(
        "customers.parquet"
    )
    Path("feature_store.yaml").write_text(STORE % os.environ["REGISTRY_URL"])
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    source = FileSource(path="customers.parquet", timestamp_field="event_timestamp")
    view = FeatureView(
        name=FEATURE_VIEW,
        entities=[customer],
        ttl=timedelta(days=1),
        schema=[Field(name="orders", dtype=Int64)],
        source=source,
    )
    FeatureStore(".").apply([customer, view])


if __name__ == "__main__":
    main()
