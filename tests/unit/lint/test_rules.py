"""Each planted fault that text can show is found, at its line, with a mend; and honest files are left in peace."""

from __future__ import annotations

import pytest
from tests.honest_dags import HONEST
from tests.planted_faults import GARBAGE, PLANTED

from airfoil.lint import Fault, Source, check_source, declared_ids, duplicates
from airfoil.lint.source import parse_source

pytestmark = pytest.mark.unit
BY_TEXT = [one for one in PLANTED if not one.needs_parse and one.code.startswith("AF")]


def check(text: str | bytes) -> list[Fault]:
    content = text.encode() if isinstance(text, str) else text
    source = parse_source(content, "x.py")
    return check_source(source) if isinstance(source, Source) else [source]


@pytest.mark.parametrize("planted", BY_TEXT, ids=lambda one: one.name)
def test_a_planted_fault_is_found_at_its_line_and_nothing_else_is(planted):
    found = check(planted.source)
    assert (planted.code, planted.line) in {(one.code, one.line) for one in found}
    assert {one.code for one in found} == {planted.code}
    assert all(one.message.endswith((".", "?")) and one.mend for one in found)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_file_is_left_in_peace(name):
    assert check(HONEST[name]) == []


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_one_fault(name):
    content, code = GARBAGE[name]
    assert [one.code for one in check(content)] == [code]


def test_a_very_long_line_is_read():
    assert check("x = '" + "a" * 1_000_000 + "'\n") == []


def test_ids_that_stand_twice_are_told_at_both_places():
    found = list(duplicates([("a", "x.py", 3), ("a", "y.py", 4), ("b", "y.py", 9)]))
    assert {(one.file, one.line, one.code) for one in found} == {("x.py", 3, "AF301"), ("y.py", 4, "AF301")}
    assert "y.py:4" in next(one.message for one in found if one.file == "x.py")


def test_ids_are_read_from_every_way_to_make_a_dag():
    text = """
from airflow.sdk import DAG, dag
import airflow.sdk as sdk
ID = "named"
DAG("positional", schedule=None)
DAG(dag_id="keyword")
DAG(dag_id=ID)
sdk.DAG("through module")
DAG(f"computed {ID}")
@dag
def bare(): ...
@dag(schedule=None)
def called(): ...
@dag("given")
def other(): ...
"""
    source = parse_source(text.encode(), "x.py")
    found = {dag_id for dag_id, _ in declared_ids(source)}
    assert found == {"positional", "keyword", "named", "through module", "bare", "called", "given"}
