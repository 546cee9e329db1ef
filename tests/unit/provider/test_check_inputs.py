"""Contracts, limits and plans: as values, as JSON, as files, and as what a template leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import DAG, task

from airfoil.errors import ConfigurationError
from airfoil.provider.check_inputs import contract_of, plain_settings, plan_of, settled
from airfoil.steps.anomaly.measurement import AnomalyPlan
from airfoil.steps.drift.measurement import DriftPlan
from airfoil.steps.drift.report import DriftLimits
from airfoil.steps.quality.contract import ColumnRule, Contract

pytestmark = pytest.mark.unit
CONTRACT = Contract(columns={"a": ColumnRule(type="integer")})


def test_a_contract_is_given_in_four_ways(tmp_path):
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/a.yaml").write_text(CONTRACT.to_yaml())
    whole = tmp_path / "contracts/a.yaml"
    dag_file = str(tmp_path / "dag.py")
    given = [CONTRACT, CONTRACT.to_json(), str(whole), whole, "contracts/a.yaml"]
    assert {contract_of(one, dag_file).to_yaml() for one in given} == {CONTRACT.to_yaml()}
    assert contract_of(str(whole)) == CONTRACT, "a whole path needs no DAG file"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("  ", "'contract' is empty"),
        ("gone.yaml", r"There is no gone\.yaml"),
        ({"column": {}}, "the contract means nothing: column"),
        (None, "the contract is empty"),
        ("broken.yaml", r"broken\.yaml is no YAML"),
        ("latin.yaml", "cannot be read: it is no UTF-8"),
        ("folder.yaml", "cannot be read: Is a directory"),
    ],
)
def test_a_contract_that_is_none_is_said(tmp_path, given, said):
    (tmp_path / "broken.yaml").write_text("columns: [")
    (tmp_path / "latin.yaml").write_bytes(b"columns: {gr\xf6\xdfe: {}}")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigurationError, match=said):
        contract_of(given, str(tmp_path / "dag.py"))


def test_settings_are_json_in_a_dag_file():
    assert plain_settings(DriftPlan(without=["at"]))["without"] == ["at"]
    assert plain_settings(DriftLimits())["p_value"] == 0.05
    assert plain_settings(Path("/c.yaml")) == "/c.yaml"
    assert plain_settings({"p_value": 0.1}) == {"p_value": 0.1}


def test_a_plan_takes_numbers_that_came_as_texts():
    assert plan_of(AnomalyPlan, {"trees": "20", "usual_share": "0.9"}) == AnomalyPlan(
        trees=20, usual_share=0.9
    )
    assert plan_of(DriftPlan, {}) == DriftPlan()


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (DriftPlan, {"colums": []}, "It may say columns, without"),
        (DriftPlan, {"correction": "bonferroni"}, "correction: Input should be"),
        (AnomalyPlan, {"trees": "many"}, "trees: Input should be a valid integer"),
        (AnomalyPlan, {"trees": 0}, "The plan for finding anomalies means nothing"),
        (AnomalyPlan, 7, "means nothing: 7"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(kind, given, said):
    with pytest.raises(ConfigurationError) as refused:
        plan_of(kind, given)
    assert said in refused.value.in_full


def test_settings_are_checked_while_the_file_is_parsed_as_far_as_they_are_known():
    seen = []
    assert settled({"p_value": 0.1}, seen.append) == {"p_value": 0.1}
    assert settled(None, seen.append) == {}
    assert settled({"p_value": "{{ params.p }}"}, seen.append) == {"p_value": "{{ params.p }}"}
    with DAG("d", schedule=None):
        settled({"p_value": task(lambda: 1, task_id="p")()}, seen.append)
    assert seen == [{"p_value": 0.1}]
