"""`airfoil data check`: what is printed, as text and as JSON, the page, and the exit code."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from tests import data_reports

from airfoil.steps.report import DatasetReport

pytestmark = pytest.mark.unit
CONTRACT = data_reports.CONTRACT.partition("freshness")[0]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder without a project, with two tables and a contract."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(data_reports.trips(2000, seed=2), tmp_path / "october.parquet")
    pq.write_table(data_reports.trips(2000, seed=1), tmp_path / "fine.parquet")
    pq.write_table(data_reports.trips(2000, seed=3, is_dirty=True), tmp_path / "dirty.parquet")
    (tmp_path / "trips.yaml").write_text(CONTRACT, encoding="utf-8")
    return tmp_path


def test_a_table_that_keeps_its_contract(airfoil, here):
    said = airfoil("data", "check", "fine.parquet", "--contract", "trips.yaml")
    assert said.code == 0
    assert said.out.startswith("✓ quality    none of ")


def test_a_table_that_breaks_it_is_told_with_what_and_where(airfoil, here):
    said = airfoil(
        "data", "check", "dirty.parquet", "--contract", "trips.yaml", "--reference", "october.parquet"
    )
    assert said.code == 1
    assert "✗ quality" in said.out
    assert "✗ drift" in said.out
    assert "CHECK" in said.out
    assert "at least 0, at most 100" in said.out
    assert "DRIFTED" in said.out


def test_a_reference_alone_is_enough(airfoil, here):
    said = airfoil("data", "check", "fine.parquet", "--reference", "october.parquet")
    assert said.code == 0
    assert "quality" not in said.out
    assert "✓ drift" in said.out
    assert "✓ anomalies" in said.out


def test_json_is_one_object_that_holds_the_report(airfoil, here):
    said = airfoil("data", "check", "dirty.parquet", "--contract", "trips.yaml", "--name", "trips", "--json")
    found = said.json()
    assert (said.code, found["schema"], found["dataset"], found["passed"]) == (1, 1, "trips", False)
    assert found["numbers"]["failed_checks"] > 0
    assert DatasetReport.from_json(found["report"]).reason == found["reason"]


def test_the_page_is_written_and_replaced(airfoil, here):
    for table in ("fine", "dirty"):
        said = airfoil(
            "data", "check", f"{table}.parquet", "--contract", "trips.yaml", "--html", "out/report.html"
        )
    assert "out/report.html" in said.err
    assert "dirty.parquet failed" in (here / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_to_hold_it_against_is_one_sentence(airfoil, here):
    said = airfoil("data", "check", "fine.parquet")
    assert said.code == 1
    assert "nothing to hold the table against" in said.err
    assert "airfoil new contract" in said.err


def test_without_a_command_the_help_is_shown(airfoil):
    said = airfoil("data")
    assert "check" in said.out + said.err
