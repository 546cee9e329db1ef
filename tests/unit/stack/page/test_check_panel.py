"""The panel of DAG checks."""

from __future__ import annotations

import dataclasses

import pytest

from airfoil.stack.page import check_panel, status
from airfoil.stack.page.facts import AirflowFacts, CheckedFault, CheckFacts, ImportProblem

pytestmark = pytest.mark.unit
FAULT = CheckedFault(
    "dags/a.py", 3, "AF206", "warning", "`<b>` is heavy.", "Import it in a task.", fixable=False
)


@pytest.fixture
def show(stack, facts):
    """show(checks) gives the panel of a stack with those checks."""

    def draw(checks, **more):
        return str(check_panel.dag_checks(status.build("/shop", stack(), facts(checks=checks, **more))))

    return draw


def test_before_the_first_look_and_when_all_is_well_it_is_calm(show):
    assert "Not looked at yet" in show(CheckFacts())
    assert "7 files, nothing to mend." in show(CheckFacts(files=7))


def test_a_fault_is_shown_with_place_and_mend_and_escaped(show):
    said = show(CheckFacts(files=1, warnings=1, faults=(FAULT,)))
    assert "dags/a.py:3 AF206" in said
    assert "Import it in a task." in said
    assert "<code>&lt;b&gt;</code> is heavy." in said


def test_errors_come_first_and_many_are_counted(show):
    faults = tuple(dataclasses.replace(FAULT, line=number) for number in range(1, 31))
    error = dataclasses.replace(FAULT, line=99, severity="error")
    said = show(CheckFacts(files=1, errors=1, warnings=30, faults=(*faults, error)))
    assert said.index("dags/a.py:99") < said.index("dags/a.py:1 ")
    assert "21 more" in said


def test_why_there_is_no_result_is_shown(show):
    assert "could not be checked" in show(CheckFacts(error="The DAG files could not be checked."))


def test_what_airflow_says_already_is_not_said_twice(show):
    broken = dataclasses.replace(FAULT, code="AF002", severity="error", message="Not Python.")
    checks = CheckFacts(files=1, errors=1, warnings=1, faults=(FAULT, broken))
    said = show(checks, airflow=AirflowFacts(1.0, import_errors=(ImportProblem("a.py", "SyntaxError"),)))
    assert "Not Python." not in said
    assert "is heavy" in said
    assert "Not Python." in show(checks)
