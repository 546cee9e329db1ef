"""Which entities are drawn, and how one of them compares; reading real stores is in tests/integration."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.clients.feature_store import online_check
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.online_check import _compare, _draw, _Row, compare_online
from airfoil.errors import ConfigurationError

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000
VIEW = View("spending", {"customer": "INT64"}, {"spent": "DOUBLE"}, "at")


def batches(order, size=100):
    for first in range(0, len(order), size):
        part = order[first : first + size]
        yield pa.RecordBatch.from_pydict({"customer": part, "spent": [float(n) for n in part]})


def drawn(order, size=20, seed=0, batch=100):
    entities, found = _draw(batches(order, batch), VIEW, size, seed)
    assert entities == len(order)
    return [key for one in found for key in one.column("customer").to_pylist()]


def test_a_seed_draws_the_same_entities_in_whatever_order_they_come():
    first = drawn(list(range(1000)))
    assert len(set(first)) == 20
    assert drawn(list(reversed(range(1000))), batch=7) == first
    assert drawn(list(range(1000)), seed=1) != first


def test_all_are_drawn_where_there_are_no_more():
    assert sorted(drawn(list(range(20)))) == list(range(20))
    assert sorted(drawn(list(range(3)))) == [0, 1, 2]
    assert drawn([]) == []


def test_nobody_is_preferred():
    """Each of 200 entities is drawn about as often over many seeds."""
    times = [0] * 200
    for seed in range(200):
        for key in drawn(list(range(200)), size=20, seed=seed):
            times[key] += 1
    assert min(times) > 0
    assert max(times) < 60


class Value:
    def __init__(self, content):
        self.content = content

    def SerializeToString(self):  # noqa: N802 - as Protocol Buffers call it
        return self.content


def online(content=b"\x29x"):
    return {"spent": Value(content)}


ROW = _Row(b"", NOON_US + 250_000, {"spent": b"\x29x"})
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("moment", "values", "kind"),
    [
        (NOON, online(), "equal"),
        (NOON + dt.timedelta(milliseconds=250), online(), "equal"),
        (None, None, "missing"),
        (EPOCH, {"spent": Value(b"")}, "missing"),
        (NOON - dt.timedelta(seconds=1), online(), "stale"),
        (NOON + dt.timedelta(seconds=1), online(), "newer"),
    ],
)
def test_one_entity_is_equal_missing_stale_or_newer(moment, values, kind):
    assert _compare(ROW, moment, values)[0] == kind


def test_other_values_of_the_same_moment_are_told_with_both():
    from feast.protos.feast.types.Value_pb2 import Value as Proto

    row = _Row(b"", NOON_US, {"spent": Proto(double_val=25.0).SerializeToString(), "name": b""})
    kind, told = _compare(row, NOON, {"spent": Proto(double_val=10.0), "name": Proto(string_val="é" * 200)})
    assert kind == "different"
    assert told == "spent is 10.0, the source has 25.0 (2 features differ)"
    kind, told = _compare(row, NOON, {"spent": Proto(double_val=25.0), "name": Proto(string_val="é" * 200)})
    assert told.startswith("name is 'ééé")
    assert told.endswith("..., the source has nothing")


def test_a_sample_of_nobody_is_refused():
    with pytest.raises(ConfigurationError, match="A sample of 0 entities"):
        compare_online(None, "spending", NOON, NOON, size=0)


def test_a_batch_of_questions_is_small_enough_for_an_old_sqlite():
    assert online_check.READ_ENTITIES < 999
