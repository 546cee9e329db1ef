from __future__ import annotations

import dataclasses
import json

import pytest

from airfoil.stack.page import status
from airfoil.stack.page.facts import AirflowFacts, DagRun, MlflowFacts

pytestmark = pytest.mark.unit


def build(state, known):
    return status.build("/home/ann/shop", state, known)


def test_the_json_form_has_the_documented_keys(stack, facts, repository):
    written = json.loads(json.dumps(build(stack(), facts(memory_mib={"mlflow": 130.6})).to_dict()))
    document = (repository / "docs" / "status-api.md").read_text()
    for keys in (
        written,
        written["stack"],
        written["services"][0],
        written["headline"],
        written["airflow"],
        written["mlflow"],
    ):
        for key in keys:
            assert f"`{key}`" in document
    assert written["schema"] == 1
    assert written["memory_mib"] == {"actual": 131.0, "budget": 1024}
    assert written["start_seconds"] == {"actual": 10.0, "budget": 60}
    assert [row["name"] for row in written["services"]][:2] == ["setup", "preload"]


def test_without_a_stack_the_keys_are_the_same(stack, facts):
    nothing = build(None, facts()).to_dict()
    assert nothing.keys() == build(stack(), facts()).to_dict().keys()
    assert nothing["stack"] is None
    assert list(nothing["services"]) == []


def test_passing_time_alone_is_no_change(stack, facts):
    one = build(stack(), facts(airflow=AirflowFacts(answered_at=1.0)))
    later = build(stack(), facts(now=99999.0, airflow=AirflowFacts(answered_at=50.0)))
    assert later.same_as(one)
    assert not one.same_as(None)


def test_a_first_answer_is_a_change_even_when_it_is_empty(stack, facts):
    assert not build(stack(), facts(airflow=AirflowFacts(answered_at=1.0))).same_as(build(stack(), facts()))


def test_memory_changes_by_whole_mebibytes_only(stack, facts):
    one = build(stack(), facts(memory_mib={"mlflow": 130.1}))
    assert build(stack(), facts(memory_mib={"mlflow": 130.3})).same_as(one)
    assert not build(stack(), facts(memory_mib={"mlflow": 131.3})).same_as(one)


def test_calm_is_when_all_is_well_and_nothing_runs(stack, change, facts):
    def run(state):
        return (DagRun("d", "r", state, "", 1.0, None, ""),)

    def known(**airflow):
        return facts(airflow=AirflowFacts(answered_at=1.0, **airflow), mlflow=MlflowFacts(answered_at=1.0))

    assert build(stack(), known(runs=run("success"))).is_calm
    assert not build(stack(), known(runs=run("running"))).is_calm
    assert not build(stack(), known(error="refused")).is_calm
    assert not build(stack(), facts()).is_calm
    assert not build(change(stack(), "mlflow", state="restarting"), known()).is_calm


def test_nothing_of_the_process_goes_out(stack, facts):
    text = json.dumps(build(stack(), facts()).to_dict())
    assert "pid" not in text
    assert "manager_started" not in text


def test_a_status_is_frozen(stack, facts):
    with pytest.raises(dataclasses.FrozenInstanceError):
        build(stack(), facts()).now = 1
