"""Months of trips that nobody took, with the columns and types of files that New York has really published.

The same month, rows, variant and seed give the same trips, batch by batch, so that any number of them needs little
memory. Distances follow a map of the zones, minutes follow distance, hour and zones; some rows are as odd as real ones.
Must not write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.steps.taxi.months import Month
from airfoil.steps.taxi.zones import LAST_ZONE

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BATCH_ROWS = 250_000
_MAP_SEED = 20
_ODD_SHARE = 0.023
"""Of trips that last less than a minute or more than an hour, as in 2023."""
_LACKING_SHARE = 0.04
_STREETS_MILES = 16.0
_MONEY = (
    "fare_amount",
    "extra",
    "mta_tax",
    "tip_amount",
    "tolls_amount",
    "improvement_surcharge",
    "total_amount",
)


@dataclass(frozen=True)
class Variant:
    """How the columns of a published file are called, and of which types they are."""

    types: Mapping[str, str]
    times: tuple[str, str]
    distance: str = "trip_distance"
    lacking: frozenset[str] = field(default_factory=frozenset)
    """Columns that are empty where a driver's device did not send the record whole."""

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow has them."""
        import pyarrow as pa

        return pa.schema([(name, _arrow_type(kind)) for name, kind in self.types.items()])


def _yellow(whole: str, counts: str, text: str, fees: Mapping[str, str]) -> Variant:
    times = ("tpep_pickup_datetime", "tpep_dropoff_datetime")
    types = {"VendorID": whole, **dict.fromkeys(times, "timestamp[us]"), "passenger_count": counts}
    types |= {"trip_distance": "double", "RatecodeID": counts, "store_and_fwd_flag": text}
    types |= {"PULocationID": whole, "DOLocationID": whole, "payment_type": "int64"}
    types |= dict.fromkeys(_MONEY, "double") | dict(fees)
    lacking = {"passenger_count", "RatecodeID", "store_and_fwd_flag", *fees} - {"cbd_congestion_fee"}
    return Variant(MappingProxyType(types), times, lacking=frozenset(lacking))


def _green(whole: str, counts: str, text: str, ehail: str) -> Variant:
    times = ("lpep_pickup_datetime", "lpep_dropoff_datetime")
    types = {"VendorID": whole, **dict.fromkeys(times, "timestamp[us]"), "store_and_fwd_flag": text}
    types |= {"RatecodeID": counts, "PULocationID": whole, "DOLocationID": whole, "passenger_count": counts}
    types |= {"trip_distance": "double", **dict.fromkeys(_MONEY[:-2], "double"), "ehail_fee": ehail}
    types |= {"improvement_surcharge": "double", "total_amount": "double"}
    types |= {"payment_type": counts, "trip_type": counts, "congestion_surcharge": "double"}
    lacking = {"store_and_fwd_flag", "RatecodeID", "passenger_count", "payment_type", "congestion_surcharge"}
    return Variant(MappingProxyType(types), times, lacking=frozenset(lacking))


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        # Fees that did not exist yet were published as columns of no type.
        "yellow-2016": _yellow(
            "int64", "int64", "string", {"congestion_surcharge": "null", "airport_fee": "null"}
        ),
        "yellow-2019": _yellow(
            "int64", "double", "string", {"congestion_surcharge": "double", "airport_fee": "null"}
        ),
        "yellow-2022": _yellow(
            "int64", "double", "string", {"congestion_surcharge": "double", "airport_fee": "double"}
        ),
        "yellow-2024": _yellow(
            "int32", "int64", "large_string", {"congestion_surcharge": "double", "Airport_fee": "double"}
        ),
        "yellow-2025": _yellow(
            "int32",
            "int64",
            "large_string",
            {"congestion_surcharge": "double", "Airport_fee": "double", "cbd_congestion_fee": "double"},
        ),
        "green-2019": _green("int64", "double", "string", "null"),
        "green-2024": _green("int32", "double", "large_string", "double"),
        "hire-2024": Variant(
            MappingProxyType(
                {
                    "hvfhs_license_num": "large_string",
                    "request_datetime": "timestamp[us]",
                    "pickup_datetime": "timestamp[us]",
                    "dropoff_datetime": "timestamp[us]",
                    "PULocationID": "int32",
                    "DOLocationID": "int32",
                    "trip_miles": "double",
                    "trip_time": "int64",
                    "base_passenger_fare": "double",
                }
            ),
            ("pickup_datetime", "dropoff_datetime"),
            distance="trip_miles",
        ),
    }
)


def sample_month(
    month: Month, rows: int, *, variant: str = "yellow-2024", seed: int = 0, batch_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Make so many trips of a month, in batches; the schema is that of the variant."""
    import numpy as np

    form = variant_of(variant)
    places = np.random.default_rng(_MAP_SEED).uniform(0, _STREETS_MILES, (LAST_ZONE, 2))
    for number, start in enumerate(range(0, rows, batch_rows)):
        random = np.random.default_rng((seed, month.year, month.number, number))
        yield _batch(random, min(batch_rows, rows - start), month, form, places)


def variant_of(name: str) -> Variant:
    """Return a published form by its name."""
    if name not in VARIANTS:
        raise ConfigurationError(
            f"No trips were published as '{name}'", f"Take one of {', '.join(VARIANTS)}."
        )
    return VARIANTS[name]


def _batch(
    random: np.random.Generator, rows: int, month: Month, form: Variant, places: NDArray[np.float64]
) -> pa.RecordBatch:
    import pyarrow as pa

    values = _values(random, rows, month, form, places)
    lacks = random.random(rows) < _LACKING_SHARE
    arrays = []
    for name, kind in form.types.items():
        if kind == "null":
            arrays.append(pa.nulls(rows))
            continue
        array = pa.array(values[name], mask=lacks if name in form.lacking else None)
        arrays.append(array.cast(_arrow_type(kind)))
    return pa.record_batch(arrays, schema=form.schema)


def _values(
    random: np.random.Generator, rows: int, month: Month, form: Variant, places: NDArray[np.float64]
) -> dict[str, Any]:
    import numpy as np

    pickup_zone, dropoff_zone = (_zones(random, rows) for _ in range(2))
    apart = np.abs(places[pickup_zone - 1] - places[dropoff_zone - 1]).sum(axis=1) / 4
    miles = np.round((apart + 0.4) * random.lognormal(0, 0.25, rows), 2)
    begins = np.datetime64(f"{month}-01", "s")
    ends = np.datetime64(f"{month.back(-1)}-01", "s")
    seconds = random.integers(0, int((ends - begins) / np.timedelta64(1, "s")), rows)
    hour = seconds // 3600 % 24
    crowd = 1 + 0.35 * np.exp(-(((hour - 17) / 4.0) ** 2)) - 0.25 * np.exp(-(((hour - 4) / 3.0) ** 2))
    minutes = 2.5 + (3.1 * miles + pickup_zone % 7 * 0.5 + dropoff_zone % 5 * 0.6) * crowd
    minutes *= random.lognormal(0, 0.25, rows)
    odd = random.random(rows) < _ODD_SHARE
    # Meters that were left running, trips cancelled at once, clocks that went backwards.
    minutes = np.where(odd, random.choice([-30.0, 0.0, 0.4, 75.0, 600.0, 1435.0], rows), minutes)
    miles = np.where(random.random(rows) < 0.012, 0.0, miles)  # noqa: PLR2004 - a share, used once
    miles = np.where(random.random(rows) < 2e-5, miles * 100, miles)  # noqa: PLR2004 - as above
    pickup = begins + seconds.astype("timedelta64[s]")
    dropoff = pickup + np.round(minutes * 60).astype("timedelta64[s]")
    fare = np.round(3 + 2.4 * miles + 0.7 * minutes.clip(0, 120), 1)
    payment = random.choice([1, 2, 3, 4], rows, p=(0.8, 0.16, 0.02, 0.02))
    tip = np.where(payment == 1, np.round(fare * 0.2, 2), 0.0)
    return {
        form.times[0]: pickup,
        form.times[1]: dropoff,
        form.distance: miles,
        "PULocationID": pickup_zone,
        "DOLocationID": dropoff_zone,
        "VendorID": random.choice([1, 2, 6], rows, p=(0.24, 0.75, 0.01)),
        "passenger_count": random.choice([1, 2, 3, 4, 5], rows, p=(0.76, 0.15, 0.04, 0.03, 0.02)),
        "RatecodeID": random.choice([1, 2, 5], rows, p=(0.95, 0.04, 0.01)),
        "store_and_fwd_flag": np.where(random.random(rows) < 0.005, "Y", "N"),  # noqa: PLR2004 - as above
        "payment_type": payment,
        "trip_type": random.choice([1, 2], rows, p=(0.97, 0.03)),
        "fare_amount": fare,
        "extra": np.where(hour >= 20, 1.0, 0.0),  # noqa: PLR2004 - the night begins
        "mta_tax": np.full(rows, 0.5),
        "tip_amount": tip,
        "tolls_amount": np.where(miles > 12, 6.94, 0.0),  # noqa: PLR2004 - far enough for a bridge
        "improvement_surcharge": np.full(rows, 1.0),
        "total_amount": np.round(fare + tip + 4.5, 2),
        "congestion_surcharge": np.full(rows, 2.5),
        "airport_fee": np.where(pickup_zone == 132, 1.75, 0.0),  # noqa: PLR2004 - JFK
        "Airport_fee": np.where(pickup_zone == 132, 1.75, 0.0),  # noqa: PLR2004 - JFK
        "cbd_congestion_fee": np.full(rows, 0.75),
        "ehail_fee": np.zeros(rows),
        "hvfhs_license_num": np.full(rows, "HV0003"),
        "request_datetime": pickup - np.timedelta64(240, "s"),
        "trip_time": np.round(minutes * 60).astype(np.int64),
        "base_passenger_fare": fare,
    }


def _zones(random: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """Draw zones of which some are asked for far more often than others, as Manhattan is."""
    import numpy as np

    rank = np.arange(1, LAST_ZONE + 1)
    shares = 1 / rank**0.9
    order = np.random.default_rng(_MAP_SEED).permutation(rank)
    chosen: NDArray[np.int64] = order[
        np.searchsorted(np.cumsum(shares / shares.sum()), random.random(rows)).clip(0, LAST_ZONE - 1)
    ]
    return chosen


def _arrow_type(name: str) -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp("us") if name == "timestamp[us]" else pa.type_for_alias(name)
