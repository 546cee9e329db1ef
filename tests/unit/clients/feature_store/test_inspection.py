"""What is seen of a view's files; whole views and stores are looked at in tests/integration/test_feature_checks.py."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.feature_store import inspection
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.latest_rows import Source
from airfoil.clients.feature_store.plan import Plan
from airfoil.errors import NotFoundError, ServiceUnreachableError

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
VIEW = View("spending", {"customer": "INT64"}, {"spent": "DOUBLE"}, "at")


def planned(*files, created=None):
    return Plan(Source(files, ("customer",), ("spent",), "at", created), VIEW, {})


def rows(folder, name="a.parquet", **columns):
    values = {
        "customer": [1, 2],
        "spent": [1.0, None],
        "at": pa.array([NOON, NOON], pa.timestamp("us", "UTC")),
    }
    table = pa.table({key: value for key, value in {**values, **columns}.items() if value is not None})
    pq.write_table(table, folder / name)
    return folder / name


def look(monkeypatch, plan, online=None):
    monkeypatch.setattr(inspection, "read_online", online or (lambda *_: []))
    return inspection._behind(SimpleNamespace(), SimpleNamespace(name="spending"), plan)


def test_a_good_source_has_rows_and_a_newest_moment(monkeypatch, tmp_path):
    found = look(monkeypatch, planned(rows(tmp_path), rows(tmp_path, "b.parquet")))
    assert (found.rows, found.newest, found.faults) == (4, NOON, ())


def test_the_online_store_is_asked_for_a_key_of_the_source(monkeypatch, tmp_path):
    asked = []
    look(monkeypatch, planned(rows(tmp_path)), lambda _store, _view, keys: asked.extend(keys))
    assert len(asked) == 1
    assert b"customer" in asked[0]


@pytest.mark.parametrize("at", [dt.date(2026, 1, 5), NOON.replace(tzinfo=None), NOON])
def test_moments_may_be_dates_and_may_have_no_zone(monkeypatch, tmp_path, at):
    assert look(monkeypatch, planned(rows(tmp_path, at=pa.array([at, None])))).newest.date() == NOON.date()


@pytest.mark.parametrize(
    ("columns", "check", "reason"),
    [
        ({"spent": None}, "column", "no column 'spent' (it has: customer, at)"),
        ({"customer": None}, "column", "no column 'customer'"),
        ({"at": ["a", "b"]}, "type", "its column 'at' holds string, not timestamps"),
        ({"spent": ["much", "little"]}, "type", "'spent' is declared as DOUBLE, and its column of type string"),
        ({"customer": ["x", "y"]}, "type", "'customer' is declared as INT64"),
        ({"customer": pa.array([1, None])}, "type", "'customer' is empty in 1 rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_source_is_said(monkeypatch, tmp_path, columns, check, reason):
    (fault,) = look(monkeypatch, planned(rows(tmp_path, **columns))).faults
    assert fault.check == check
    assert reason in fault.reason


def test_a_column_that_one_of_several_files_lacks_is_found(monkeypatch, tmp_path):
    plan = planned(rows(tmp_path), rows(tmp_path, "b.parquet", spent=None))
    (fault,) = look(monkeypatch, plan).faults
    assert "b.parquet has no column 'spent'" in fault.reason


def test_a_source_without_rows_and_one_that_is_cut_off_are_found(monkeypatch, tmp_path):
    empty = pa.table({"customer": pa.array([], pa.int64()), "spent": pa.array([], pa.float64()),
                      "at": pa.array([], pa.timestamp("us"))})  # fmt: skip
    pq.write_table(empty, tmp_path / "empty.parquet")
    found = look(monkeypatch, planned(tmp_path / "empty.parquet"))
    assert (found.rows, found.faults[0].check) == (0, "rows")
    path = rows(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    (fault,) = look(monkeypatch, planned(path)).faults
    assert fault.check == "source"
    assert "cannot be read" in fault.reason


class Provider:
    def __init__(self, error):
        self.error = error

    def online_read(self, **_):
        raise self.error


def asking(error):
    config = SimpleNamespace(online_store=SimpleNamespace(type="redis"), entity_key_serialization_version=3)
    feast = SimpleNamespace(config=config, _get_provider=lambda: Provider(error))
    view = SimpleNamespace(name="spending", features=[SimpleNamespace(name="spent")])
    return inspection.read_online(SimpleNamespace(feast=feast), view, [])


def test_a_store_that_is_away_and_one_without_a_table_are_told_apart():
    with pytest.raises(
        ServiceUnreachableError, match=r"online store \(redis\) does not answer for 'spending': refused"
    ):
        asking(ConnectionError("refused"))
    with pytest.raises(NotFoundError, match="has no table of the view 'spending'"):
        asking(RuntimeError("no such table: shop_spending"))
