"""A real Spark counts what local tables and DuckDB count: the same quality and drift records, the same verdicts.

`make test-full ARGS=tests/integration/test_spark.py` fetches Spark; SPARK_ROWS=20000 is a quick look.
"""

from __future__ import annotations

import os
import shutil

import pyarrow.parquet as pq
import pytest
from tests.sizes import full_only
from tests.warehouse_tables import (
    AT,
    CONTRACT,
    HARD,
    HARD_CONTRACT,
    ZONES,
    DuckTables,
    judged,
    measured,
    trips,
)

from airfoil.steps.drift.measurement import measure_drift
from airfoil.steps.drift.verdict import judge_drift
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge
from airfoil.steps.scans import Scan
from airfoil.steps.warehouse.drift import measure_drift_in_warehouse
from airfoil.steps.warehouse.quality import measure_in_warehouse
from airfoil.steps.warehouse.tables import WarehouseTable

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1800),
    full_only,
    # Warnings of pyspark and of Ibis about each other and about Python.
    pytest.mark.filterwarnings("ignore"),
]

ROWS = int(os.environ.get("SPARK_ROWS", "1000000"))


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Spark on this machine, as Ibis speaks to it."""
    if shutil.which("java") is None:
        pytest.skip("no Java here, which Spark needs: apt-get install openjdk-17-jre-headless")
    sql = pytest.importorskip("pyspark.sql", reason="no pyspark here: uv sync --group spark")
    import ibis

    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("airfoil")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    gateway = session.sparkContext._gateway
    try:
        yield ibis.pyspark.connect(session)
    finally:
        session.stop()
        # Stopped, Spark leaves its Java behind, which ends with the pipe that it reads.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=60)


@pytest.fixture(scope="module")
def duck():
    import ibis

    return DuckTables(ibis.duckdb.connect())


def in_three_places(spark, duck, folder, tables):
    """The tables as files, in DuckDB and in Spark."""
    found = {"here": {}, "duckdb": {}, "spark": {}}
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
        found["here"][name] = Scan.of_parquet([folder / f"{name}.parquet"], name)
        found["duckdb"][name] = duck(table, name)
        found["spark"][name] = WarehouseTable(name, spark.read_parquet(str(folder / f"{name}.parquet")))
    return found


@pytest.fixture(scope="module")
def tables(spark, duck, tmp_path_factory):
    """Trips before and after, and the zones they refer to."""
    made = {"before": trips(ROWS, 1), "after": trips(ROWS, 2, 2.0), "zones": ZONES}
    return in_three_places(spark, duck, tmp_path_factory.mktemp("tables"), made)


def test_quality_is_the_same_record_from_all_three(tables):
    here = judge(CONTRACT, measure(tables["here"]["after"], CONTRACT, tables["here"]), AT)
    there = {
        engine: judge(CONTRACT, measure_in_warehouse(tables[engine]["after"], CONTRACT, tables[engine]), AT)
        for engine in ("duckdb", "spark")
    }
    assert judged(there["spark"]) == judged(there["duckdb"]) == judged(here)
    assert not here.passed
    examples = [[check.examples for check in report.checks] for report in there.values()]
    assert examples[0] == examples[1]


def test_drift_is_the_same_record_and_verdict_from_all_three(tables):
    reports = {"here": measure_drift(tables["here"]["before"], tables["here"]["after"])}
    for engine in ("duckdb", "spark"):
        reports[engine] = measure_drift_in_warehouse(tables[engine]["before"], tables[engine]["after"])
    assert measured(reports["spark"]) == measured(reports["duckdb"]) == measured(reports["here"])
    verdicts = [judge_drift(report) for report in reports.values()]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert verdicts[0].outcome == "drifted"
    histograms = [[one.histogram for one in reports[engine].columns] for engine in ("duckdb", "spark")]
    assert histograms[0] == histograms[1], "cells follow from exact bounds, not from a sample"


@pytest.mark.parametrize("rows", [8, 0])
def test_values_that_engines_take_for_different_things(spark, duck, tmp_path, rows):
    found = in_three_places(spark, duck, tmp_path, {"hard": HARD.slice(0, rows)})
    here = judge(HARD_CONTRACT, measure(found["here"]["hard"], HARD_CONTRACT), AT)
    there = {
        engine: judge(HARD_CONTRACT, measure_in_warehouse(found[engine]["hard"], HARD_CONTRACT), AT)
        for engine in ("duckdb", "spark")
    }
    assert judged(there["spark"]) == judged(there["duckdb"])
    assert judged(there["spark"])["checks"] == judged(here)["checks"]
    drift = {
        engine: measure_drift_in_warehouse(found[engine]["hard"], found[engine]["hard"]) for engine in there
    }
    assert measured(drift["spark"]) == measured(drift["duckdb"])
    assert measured(drift["spark"]) == measured(measure_drift(found["here"]["hard"], found["here"]["hard"]))
