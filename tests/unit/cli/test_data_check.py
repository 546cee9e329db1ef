"""A table, a contract, a reference: what becomes of them, and what is wrong with them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import data_reports

from airfoil.cli.data_check import examine, read_contract, save
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError, StorageError, TableError
from airfoil.steps.report import DatasetReport

pytestmark = pytest.mark.unit


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"zone": [1, 2, 9], "x": [1.0, 2.0, 3.0]}), tmp_path / "trips.parquet")
    pq.write_table(pa.table({"id": [1, 2]}), tmp_path / "zones.parquet")
    pq.write_table(pa.table({"word": ["a", "b"] * 40}), tmp_path / "words.parquet")
    (tmp_path / "contract.yaml").write_text(
        "foreign_keys:\n- {columns: [zone], table: zones, references: [id]}\n", encoding="utf-8"
    )
    return tmp_path


def test_tables_of_foreign_keys_come_by_name(here):
    report = examine("trips.parquet", here / "contract.yaml", None, named=["zones=zones.parquet"])
    (failure,) = report.quality.failures
    assert (failure.check, failure.failed) == ("foreign_key", 1)
    assert report.dataset == "trips.parquet"


def test_a_table_may_be_called_otherwise(here):
    (here / "open.yaml").write_text("rows: {at_least: 1}\n")
    assert examine("trips.parquet", here / "open.yaml", None, name="trips").dataset == "trips"


def test_a_table_without_numbers_has_no_anomalies(here):
    report = examine("words.parquet", None, "words.parquet")
    assert report.outcomes == {"drift": "stable"}
    assert report.passed


def test_columns_that_move_by_nature_are_left_out(here):
    whole = examine("trips.parquet", None, "trips.parquet")
    part = examine("trips.parquet", None, "trips.parquet", without=["zone"])
    assert [one.name for one in whole.drift.columns] == ["zone", "x"]
    assert [one.name for one in part.drift.columns] == ["x"]
    assert part.anomalies.columns == ("x",)
    with pytest.raises(NotFoundError, match="Neither table has a column 'y'"):
        examine("trips.parquet", None, "trips.parquet", without=["y"])
    with pytest.raises(ConfigurationError, match="No column is left"):
        examine("trips.parquet", None, "trips.parquet", without=["x", "zone"])


@pytest.mark.parametrize("given", ["zones", "=zones.parquet", "zones=", " = "])
def test_a_table_without_a_name_is_refused(here, given):
    with pytest.raises(ConfigurationError, match="names no table"):
        examine("trips.parquet", here / "contract.yaml", None, named=[given])


@pytest.mark.parametrize(
    ("text", "error"),
    [(b"\xff\xfe", ConfigurationError), (b"a: [", ConfigurationError), (b"", ConfigurationError)],
)
def test_a_contract_that_is_none(here, text, error):
    (here / "bad.yaml").write_bytes(text)
    with pytest.raises(error):
        read_contract(here / "bad.yaml")


def test_a_contract_that_is_not_there(here):
    with pytest.raises(NotFoundError, match=r"no contract .*none\.yaml"):
        read_contract(here / "none.yaml")
    with pytest.raises(AirfoilError):
        read_contract(here)


@pytest.mark.parametrize("text", [b"", b"<html>not found</html>", b"a,b\n1\n1,2,3\n", b"PAR1broken"])
def test_a_table_that_is_none_is_one_error(here, text):
    (here / "bad.csv").write_bytes(text)
    with pytest.raises(TableError):
        examine("bad.csv", None, "trips.parquet")


def test_a_page_that_cannot_be_written_says_so(here):
    report = DatasetReport(dataset="x", at=data_reports.AT)
    with pytest.raises(StorageError):
        save(report, here / "trips.parquet" / "report.html")
