"""Whether online features say what their source says: a random sample of entities, compared byte by byte.

For each entity that has a row in a window of time, the newest such row is what should be online. A sample of them, the
same one for the same seed, is read back with Feast's own reader. Must not judge: how much may differ is said elsewhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from airfoil.clients.feature_store import encoding, entity_keys, latest_rows, plan
from airfoil.clients.feature_store.inspection import read_online
from airfoil.clients.feature_store.latest_rows import Limits, Window
from airfoil.errors import ConfigurationError
from airfoil.records import OnlineDifference, OnlineSample

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.clients.feature_store.encoding import View
    from airfoil.clients.feature_store.store import FeatureStore

READ_ENTITIES = 500
"""How many entities are asked for at once: SQLite takes 999 values in one question in its older releases."""
_SECOND_US = 1_000_000
_MOST_EXAMPLES = 10
_MOST_CHARACTERS = 80


@dataclass(frozen=True)
class _Row:
    """What should be online of one entity."""

    key: bytes
    event_us: int
    values: dict[str, bytes]


def compare_online(
    store: FeatureStore,
    name: str,
    start: datetime,
    end: datetime,
    *,
    size: int = 1000,
    seed: int = 0,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> OnlineSample:
    """Draw `size` entities of a view that have a row in the window, and compare what is online with the newest one."""
    if size < 1:
        raise ConfigurationError(f"A sample of {size} entities says nothing", "Ask for 1 or more.")
    view: Any = store.view(name)
    if reason := plan.reason_for_feast(view, store.feast.config):
        raise ConfigurationError(
            f"The view {name} cannot be compared with its source: {reason}",
            "Leave this view out, or compare it with what its own engine made.",
        )
    planned = plan.make(view, store.feast.registry, store.feast.config)
    batches = latest_rows.read(planned.source, Window.between(start, end), limits)
    entities, drawn = _draw((planned.renamed(batch) for batch in batches), planned.view, size, seed)
    rows = [row for batch in drawn for one in encoding.encode(batch, planned.view) for row in _rows(one)]
    counts: Counter[str] = Counter()
    examples: list[OnlineDifference] = []
    for first in range(0, len(rows), READ_ENTITIES):
        expected = rows[first : first + READ_ENTITIES]
        found = read_online(store, view, [row.key for row in expected])
        for row, (moment, online) in zip(expected, found, strict=True):
            kind, detail = _compare(row, moment, online)
            counts[kind] += 1
            if kind in {"missing", "stale", "different"} and len(examples) < _MOST_EXAMPLES:
                told = {"entity": _spoken_key(row.key), "kind": kind, "detail": detail}
                examples.append(OnlineDifference.model_validate(told))
    return OnlineSample(
        view=name,
        start=_aware(start),
        end=_aware(end),
        entities=entities,
        sampled=len(rows),
        equal=counts["equal"],
        newer=counts["newer"],
        stale=counts["stale"],
        missing=counts["missing"],
        different=counts["different"],
        examples=tuple(examples),
    )


def _draw(
    batches: Iterator[pa.RecordBatch], view: View, size: int, seed: int
) -> tuple[int, list[pa.RecordBatch]]:
    """Keep the rows whose keys have the smallest numbers; a key's number follows from the key and the seed alone."""
    import pyarrow as pa

    entities, numbers = 0, np.empty(0, dtype=np.uint64)
    kept: list[pa.RecordBatch] = []
    threshold = np.uint64(2**64 - 1)
    for batch in batches:
        entities += batch.num_rows
        new = _numbers(entity_keys.encode(batch, view.keys).to_list(), seed)
        chosen = new <= threshold
        if not chosen.any():
            continue
        kept.append(batch.filter(pa.array(chosen)))
        numbers = np.concatenate([numbers, new[chosen]])
        if len(numbers) > 2 * size:
            kept, numbers = _smallest(kept, numbers, size)
            threshold = numbers.max()
    kept, _ = _smallest(kept, numbers, size)
    return entities, kept


def _smallest(
    batches: Sequence[pa.RecordBatch], numbers: NDArray[np.uint64], size: int
) -> tuple[list[pa.RecordBatch], NDArray[np.uint64]]:
    import pyarrow as pa

    if not batches:
        return [], numbers
    order = np.argsort(numbers, kind="stable")[:size]
    table = pa.Table.from_batches(batches).take(pa.array(order)).combine_chunks()
    return table.to_batches(), numbers[order]


def _numbers(keys: Sequence[bytes], seed: int) -> NDArray[np.uint64]:
    salt = str(seed).encode()[:16]
    digests = b"".join(hashlib.blake2b(key, digest_size=8, salt=salt).digest() for key in keys)
    return np.frombuffer(digests, dtype=np.uint64)


def _rows(one: encoding.Encoded) -> Iterator[_Row]:
    columns = {name: cells.to_list() for name, cells in one.values.items()}
    for number, key in enumerate(one.keys.to_list()):
        yield _Row(key, int(one.event_us[number]), {name: column[number] for name, column in columns.items()})


def _compare(row: _Row, moment: datetime | None, online: Any) -> tuple[str, str]:
    # Redis tells of an entity that it does not know as of one from 1970 without values.
    if (
        moment is None
        or not online
        or (_aware(moment).timestamp() == 0 and not any(map(_bytes, online.values())))
    ):
        return "missing", "not online"
    # SQLite keeps whole seconds.
    there, expected = int(_aware(moment).timestamp()), row.event_us // _SECOND_US
    if there != expected:
        told = f"online is {moment.isoformat()}, the source has {_moment(row.event_us).isoformat()}"
        return ("stale" if there < expected else "newer"), told
    unequal = [name for name, value in row.values.items() if _bytes(online.get(name)) != value]
    if not unequal:
        return "equal", ""
    first = unequal[0]
    told = f"{first} is {_spoken(_bytes(online.get(first)))}, the source has {_spoken(row.values[first])}"
    return "different", told + (f" ({len(unequal)} features differ)" if len(unequal) > 1 else "")


def _bytes(value: Any) -> bytes:
    return b"" if value is None else value.SerializeToString()


def _spoken(value: bytes) -> str:
    from feast.protos.feast.types.Value_pb2 import Value
    from feast.type_map import feast_value_type_to_python_type

    text = repr(feast_value_type_to_python_type(Value.FromString(value))) if value else "nothing"
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "..."


def _spoken_key(key: bytes) -> str:
    from feast.infra.key_encoding_utils import deserialize_entity_key

    found = deserialize_entity_key(key, entity_keys.VERSION)
    pairs = zip(found.join_keys, found.entity_values, strict=True)
    return ", ".join(f"{name}={_spoken(value.SerializeToString())}" for name, value in pairs)


def _moment(event_us: int) -> datetime:
    return datetime.fromtimestamp(event_us / _SECOND_US, UTC)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
