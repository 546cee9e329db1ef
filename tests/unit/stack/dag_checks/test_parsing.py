"""What a parse reports, read into faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.stack.dag_checks.parsing import environment, faults_of
from airfoil.stack.dag_checks.scope import Scope

pytestmark = pytest.mark.unit
SCOPE = Scope(base=Path("/shop"), files=(), dags=Path("/shop/dags"), sources=(Path("/shop/src"),))
LINES = {"": 4, "daily": 9, "schedule": 5}


def report(**values):
    return {"seconds": 0.1, "errors": [], "asked": [], "slow": None, "dags": []} | values


def error(message, **values):
    return {"message": message, "file": "/shop/dags/a.py", "line": 0, "line_in_file": 0} | values


def told(found):
    return [(one.code, one.file, one.line) for one in faults_of(found, "dags/a.py", LINES, SCOPE)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("AirflowDagCycleException: Cycle detected in Dag: daily. Faulty task: b", ("AF302", "dags/a.py", 9)),
        ("AirflowTimetableInvalid: [61 * * * *] is not acceptable", ("AF303", "dags/a.py", 5)),
        ("ValueError: start_date is required when catchup=True", ("AF304", "dags/a.py", 4)),
        ("ModuleNotFoundError: No module named 'x'", ("AF003", "dags/a.py", 4)),
    ],
)
def test_an_import_error_is_told_as_what_it_is(message, expected):
    assert told(report(errors=[error(message)])) == [expected]


def test_an_error_in_the_users_own_module_names_both_places():
    row = error("KeyError: 'x'", file="/shop/src/shop/a.py", line=12, line_in_file=3)
    (found,) = faults_of(report(errors=[row]), "dags/a.py", LINES, SCOPE)
    assert (found.line, found.message) == (3, "KeyError: 'x' (in src/shop/a.py:12).")


def test_a_missing_module_may_be_added():
    row = error("ModuleNotFoundError: No module named 'torch.nn'")
    (found,) = faults_of(report(errors=[row]), "dags/a.py", LINES, SCOPE)
    assert "`airfoil add torch`" in found.mend


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("connection", "AF201"),
        ("variable", "AF202"),
        ("network", "AF203"),
        ("database", "AF204"),
        ("process", "AF205"),
        ("file", "AF208"),
    ],
)
def test_a_reach_outside_is_told_where_it_stands(kind, code):
    row = {"kind": kind, "what": "x", "file": "/shop/src/shop/a.py", "line": 7}
    assert told(report(asked=[row])) == [(code, "src/shop/a.py", 7)]


def test_what_we_refused_ourselves_is_no_import_error():
    row = {"kind": "network", "what": "x", "file": "/shop/dags/a.py", "line": 7}
    refused = error("airfoil.runtime.parse_watch.NotWhileParsedError: network is closed")
    assert told(report(asked=[row], errors=[refused])) == [("AF203", "dags/a.py", 7)]


def test_a_slow_parse_names_the_import_or_says_where_to_look():
    slow = {"module": "pandas", "file": "/shop/dags/a.py", "line": 3, "seconds": 1.4}
    (found,) = faults_of(report(seconds=1.6, slow=slow), "dags/a.py", LINES, SCOPE)
    assert (found.code, found.line) == ("AF004", 3)
    assert "1.4 s of it is the import of pandas" in found.message
    assert told(report(seconds=1.6)) == [("AF004", "dags/a.py", 1)]
    assert told(report(seconds=0.9)) == []


def test_a_parse_that_did_not_end_is_told():
    assert told({"ended": "did not end within 30 seconds"}) == [("AF005", "dags/a.py", 1)]


def test_the_parse_sees_the_users_code_and_no_real_airflow():
    given = {"AIRFLOW__CORE__FERNET_KEY": "x", "AIRFLOW_HOME": "/real", "PATH": "/bin", "PYTHONPATH": "/more"}
    found = environment(SCOPE, Path("/home"), given)
    assert "AIRFLOW__CORE__FERNET_KEY" not in found
    assert found["AIRFLOW_HOME"] == "/home"
    assert found["PYTHONPATH"] == "/shop/src:/more"
    assert found["PATH"] == "/bin"
