"""A contract as a task: its parts, the tables it refers to, and what of it OpenLineage gets to know."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.operators.tables import rides, work, write

from airfoil.clients.object_store import read_text
from airfoil.provider.datasets import Dataset
from airfoil.provider.operators.data_quality import DataQualityOperator
from airfoil.records import DataVerdict, QualityReport
from airfoil.steps.quality.contract import ColumnRule, Contract

__all__ = ["work", "write"]
pytestmark = pytest.mark.unit
CONTRACT = {
    "columns": {"id": {"type": "integer", "unique": True}, "fare": {"type": "number", "at_least": 0}},
    "foreign_keys": [{"columns": ["zone"], "table": "zones", "references": ["name"]}],
}


@pytest.fixture
def zones(write):
    return write("zones", {"name": ["a", "b", "c"]})


def check(data, zones="", contract=CONTRACT, **given):
    tables = {"zones": zones} if zones else {}
    return DataQualityOperator(
        task_id="quality", data=data, contract=contract, reference_tables=tables, dataset="rides", **given
    )


def found(verdict: DataVerdict) -> QualityReport:
    return QualityReport.from_json(json.loads(read_text(verdict.record))["report"])


def test_a_table_that_is_as_it_should_be(registry, run, write, zones):
    verdict = DataVerdict.from_json(run(check(write("t", rides(1)), zones)))
    assert (verdict.check, verdict.outcome, verdict.dataset) == ("quality", "passed", "rides")
    assert verdict.numbers == {"rows": 1000, "checks": 8, "failed_checks": 0, "duplicate_rows": 0}
    assert found(verdict).passed


def test_a_table_that_is_not(registry, run, context, write, zones):
    columns = rides(1) | {"zone": ["x"] * 1000}
    columns["fare"][7] = -1
    task = check(write("t", columns), zones)
    with pytest.raises(AirflowFailException, match=r"rides failed 2 of 8 checks on 1000 rows: range of fare"):
        run(task)
    verdict = DataVerdict.from_json(context["ti"].pushed["return_value"])
    assert verdict.numbers["failed_checks"] == 2
    assert found(verdict).failures[0].examples[0]["row"] == 7
    claims = {(one.what, one.column): one.holds for one in task._lineage.claims}
    assert claims["range", "fare"] is False
    assert claims["type", "id"] is True
    assert claims["rows", ""] is True


def test_a_contract_can_be_asked_in_parts(registry, run, write, zones):
    table = write("t", rides(1) | {"fare": [-1.0] * 1000})
    schema = DataVerdict.from_json(run(check(table, part="schema")))
    assert {one.check for one in found(schema).checks} == {"column", "type"}
    assert schema.passed, "the zones are not asked for"
    content = DataVerdict.from_json(run(check(table, zones, part="content", when_failed="continue")))
    assert {one.check for one in found(content).checks} == {"rows", "range", "key", "foreign_key"}
    assert not content.passed


def test_a_contract_in_a_file_lies_beside_the_dag(registry, run, write, zones, tmp_path):
    (tmp_path / "rides.yaml").write_text("columns: {id: {type: integer}}\nrows: {at_least: 2000}\n")
    task = check(write("t", rides(1)), contract="rides.yaml", when_failed="continue")
    with DAG("d", schedule=None) as dag:
        dag.fileloc = str(tmp_path / "dag.py")
        task.dag = dag
    assert "rows of the table: it has 1000 rows" in run(task)["reason"]


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ("gone.yaml", "cannot be read"),
        ({"columns": {"a": {"type": "money"}}}, "no column is of type 'money'"),
        (CONTRACT, "refers to the table 'zones', and nobody said where it is"),
    ],
)
def test_a_contract_that_means_nothing_is_said_at_once(registry, run, write, contract, said):
    with pytest.raises(AirflowFailException, match=said):
        run(check(write("t", rides(1)), contract=contract, when_failed="continue"))


def test_bad_tables_have_one_verdict_each(registry, run, write):
    empty = rides(1, rows=0)
    verdict = run(check(write("t", empty), contract={}, when_failed="continue"))
    assert verdict["reason"].endswith("rows of the table: it has 0 rows")
    nothing = {"fare": [None] * 5}
    rule = {"columns": {"fare": {"type": "number", "nullable": False}}}
    verdict = run(check(write("t", nothing), contract=rule, when_failed="continue"))
    assert "missing of fare: 5 of 5 (100 %)" in verdict["reason"]


def test_it_survives_serialization():
    lake, zones = Dataset("rides", "s3://lake/rides"), Dataset("zones", "s3://lake/zones")
    with DAG("one", schedule=None) as dag:
        DataQualityOperator(
            task_id="quality",
            data=lake,
            contract=Contract(columns={"a": ColumnRule(matches="[A-Z]{2}")}),
            reference_tables={"zones": zones},
        )
    assert dag.get_task("quality").inlets == [lake, zones]
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert back.get_task("quality").contract["columns"]["a"]["matches"] == "[A-Z]{2}"
