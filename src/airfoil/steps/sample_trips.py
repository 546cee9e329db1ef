"""Taxi trips that nobody took: the columns and types of New York's yellow taxi records, made from a seed.

For trying out what looks at tables, with faults to be found on request. Must not write.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

FAULTS = ("none", "drifted", "dirty", "broken")
ROWS = 20_000
TIMES = ("tpep_pickup_datetime", "tpep_dropoff_datetime")
HOURS = 6
ZONES = 265
_SECONDS_OF_HOUR = 3600
_TYPES = {
    "VendorID": "int32",
    "tpep_pickup_datetime": "timestamp[us]",
    "tpep_dropoff_datetime": "timestamp[us]",
    "passenger_count": "int64",
    "trip_distance": "double",
    "RatecodeID": "int64",
    "store_and_fwd_flag": "large_string",
    "PULocationID": "int32",
    "DOLocationID": "int32",
    "payment_type": "int64",
    "fare_amount": "double",
    "extra": "double",
    "mta_tax": "double",
    "tip_amount": "double",
    "tolls_amount": "double",
    "improvement_surcharge": "double",
    "total_amount": "double",
    "congestion_surcharge": "double",
    "Airport_fee": "double",
    "cbd_congestion_fee": "double",
}
# A record that a driver's device did not send whole lacks these five, as the published ones do.
_LACKING = ("passenger_count", "RatecodeID", "store_and_fwd_flag", "congestion_surcharge", "Airport_fee")


def sample_trips(rows: int = ROWS, *, seed: int, until: dt.datetime, fault: str = "none") -> pa.Table:
    """Return trips of the six hours that ended an hour before `until`; the same seed gives the same trips.

    `drifted` ones are longer, dearer and paid in cash more often. `dirty` ones have negative fares, unknown ways of
    paying, missing zones and repeated rows. Nothing is wrong with `broken` ones: it is the file that breaks.
    """
    import numpy as np
    import pyarrow as pa

    if fault not in FAULTS:
        raise ConfigurationError(f"No trips have the fault '{fault}'", f"Take one of {', '.join(FAULTS)}.")
    random = np.random.default_rng(seed)
    columns = _columns(random, rows, until, is_drifted=fault == "drifted")
    lacking = {name: _some(random, rows, 0.02) for name in _LACKING}
    if fault == "dirty":
        _spoil(random, columns, rows)
        lacking["PULocationID"] = _some(random, rows, 0.01)
    arrays = {
        name: pa.array(columns[name], mask=lacking.get(name)).cast(_arrow_type(kind))
        for name, kind in _TYPES.items()
    }
    table = pa.table(arrays)
    if fault == "dirty":
        table = pa.concat_tables([table.slice(0, rows - rows // 50), table.slice(0, rows // 50)])
    return table


def _columns(
    random: np.random.Generator, rows: int, until: dt.datetime, *, is_drifted: bool
) -> dict[str, Any]:
    import numpy as np

    distance = np.round(random.gamma(1.5, 2.2 if is_drifted else 1.3, rows) + 0.3, 2)
    minutes = distance * random.normal(4.5, 0.8, rows).clip(2, 9) + random.gamma(2, 1.5, rows)
    fare = np.round(3 + distance * 2.4 * (1.25 if is_drifted else 1) + minutes * 0.7, 1)
    payment = random.choice(
        [1, 2, 3, 4], rows, p=(0.45, 0.5, 0.03, 0.02) if is_drifted else (0.8, 0.16, 0.02, 0.02)
    )
    extra = random.choice([0.0, 1.0, 2.5], rows, p=(0.4, 0.25, 0.35))
    tip = np.where(payment == 1, np.round(fare * random.normal(0.2, 0.05, rows).clip(0, 0.5), 2), 0.0)
    tolls = np.where(_some(random, rows, 0.05), 6.94, 0.0)
    airport = np.where(_some(random, rows, 0.08), 1.75, 0.0)
    zones = np.arange(1, ZONES + 1)
    popular = 1 / zones / (1 / zones).sum()
    begin = np.datetime64(until.astimezone(dt.UTC).replace(tzinfo=None), "us") - np.timedelta64(
        HOURS + 1, "h"
    )
    pickup = begin + np.sort(random.integers(0, HOURS * _SECONDS_OF_HOUR, rows)).astype("timedelta64[s]")
    return {
        "VendorID": random.choice([1, 2, 6], rows, p=(0.24, 0.75, 0.01)),
        "tpep_pickup_datetime": pickup,
        "tpep_dropoff_datetime": pickup + (minutes * 60).astype("timedelta64[s]"),
        "passenger_count": random.choice([1, 2, 3, 4, 5], rows, p=(0.76, 0.15, 0.04, 0.03, 0.02)),
        "trip_distance": distance,
        "RatecodeID": random.choice([1, 2, 5], rows, p=(0.95, 0.04, 0.01)),
        "store_and_fwd_flag": random.choice(["N", "Y"], rows, p=(0.995, 0.005)),
        "PULocationID": random.choice(zones, rows, p=popular),
        "DOLocationID": random.choice(zones, rows, p=popular),
        "payment_type": payment,
        "fare_amount": fare,
        "extra": extra,
        "mta_tax": np.full(rows, 0.5),
        "tip_amount": tip,
        "tolls_amount": tolls,
        "improvement_surcharge": np.full(rows, 1.0),
        "total_amount": np.round(fare + extra + 0.5 + tip + tolls + 1.0 + 2.5 + airport + 0.75, 2),
        "congestion_surcharge": np.full(rows, 2.5),
        "Airport_fee": airport,
        "cbd_congestion_fee": np.full(rows, 0.75),
    }


def _spoil(random: np.random.Generator, columns: dict[str, Any], rows: int) -> None:
    """Make some fares negative, as refunds are, and some ways of paying unknown."""
    import numpy as np

    refunded = _some(random, rows, 0.03)
    for name in ("fare_amount", "total_amount"):
        columns[name] = np.where(refunded, -columns[name], columns[name])
    columns["payment_type"] = np.where(_some(random, rows, 0.01), 9, columns["payment_type"])


def _some(random: np.random.Generator, rows: int, share: float) -> NDArray[np.bool_]:
    """Choose a share of the rows."""
    return random.random(rows) < share


def _arrow_type(name: str) -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp("us") if name == "timestamp[us]" else pa.type_for_alias(name)
