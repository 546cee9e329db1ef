"""What every check against a reference shares: two tables, limits and a plan as values, plain JSON or templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import AirflowFailException

from airfoil.errors import ConfigurationError
from airfoil.provider.data_check import Finding
from airfoil.provider.datasets import Dataset
from airfoil.provider.lineage import Claim
from airfoil.provider.reference_check import ReferenceCheckOperator
from airfoil.records import DataVerdict, Record

pytestmark = pytest.mark.unit


class Most(Record):
    more: int = 0


@dataclass(frozen=True)
class Steps:
    size: int = 1


class Growing(ReferenceCheckOperator):
    """Passes a table that has at most `more` rows more than its reference."""

    check = "drift"
    limits_kind, plan_kind = Most, Steps

    def _look(self, scans, settings, folder):
        limits, plan = settings
        more = (scans["data"].count() - scans["reference"].count()) // plan.size
        passed = more <= limits.more
        outcome = "passed" if passed else "failed"
        names = {argument: scan.name for argument, scan in scans.items()}
        return Finding(
            passed, outcome, f"{more} more", more, names, {"more": more}, [Claim("more", holds=passed)]
        )


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "w"))


@pytest.fixture
def tables(tmp_path):
    for name, rows in (("new", 5), ("old", 3)):
        pq.write_table(pa.table({"a": list(range(rows))}), tmp_path / f"{name}.parquet")
    return {"data": str(tmp_path / "new.parquet"), "reference": str(tmp_path / "old.parquet")}


@pytest.fixture
def look(mlflow, make_context, tables):
    """Run a check of the new table beside the old one; its verdict."""

    def execute(**given):
        task = Growing(task_id="look", when_failed="continue", **tables, **given)
        return DataVerdict.from_json(task.execute(make_context(task_id="look")))

    return execute


@pytest.mark.parametrize(
    ("limits", "plan", "passed", "reason"),
    [
        (None, None, False, "2 more"),
        (Most(more=1), Steps(size=2), True, "1 more"),
        ({"more": 1}, {"size": 2}, True, "1 more"),
        ({"more": "2"}, None, True, "2 more"),
    ],
)
def test_limits_and_plan_are_values_plain_json_or_texts(look, limits, plan, passed, reason):
    verdict = look(limits=limits, plan=plan)
    assert (verdict.passed, verdict.reason) == (passed, reason)


@pytest.mark.parametrize(
    "wrong", [{"limits": {"mroe": 1}}, {"plan": {"sise": 1}}, {"limits": {"more": "many"}}]
)
def test_what_means_nothing_is_refused_while_the_file_is_parsed(tables, wrong):
    with pytest.raises(ConfigurationError):
        Growing(task_id="look", **wrong, **tables)


def test_a_template_is_looked_at_when_it_is_filled_in(mlflow, make_context, tables):
    task = Growing(task_id="look", limits={"more": "{{ params.more }}"}, **tables)
    assert {"reference", "limits", "plan"} <= set(task.template_fields)
    task.limits = {"more": "many"}
    with pytest.raises(AirflowFailException, match="more"):
        task.execute(make_context(task_id="look"))


def test_both_tables_are_inlets(tables):
    new, old = (
        Dataset(name, Path(tables[at]).as_uri()) for name, at in (("new", "data"), ("old", "reference"))
    )
    assert Growing(task_id="look", data=new, reference=old).inlets == [new, old]
