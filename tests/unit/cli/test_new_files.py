"""The files of a new DAG: names, places, entries, and all or nothing."""

from __future__ import annotations

import ast

import pytest
import typer

from airfoil.cli.new_files import Plan, fill_in, refuse_name, schedule_literal, with_entry
from airfoil.errors import ConfigurationError, StorageError
from airfoil.settings import load

pytestmark = pytest.mark.unit


@pytest.fixture
def plan(project):
    return Plan.of(project, load(project.root, {}), "nightly")


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("größe 1", "grosse_1"),
        ("Überblick", "uberblick"),
        ("my-dag", "my_dag"),
        ("1st", "dag_1st"),
        ("class", "dag_class"),
        ("../up", "up"),
        ("", "dag"),
        ("日本", "dag"),
        ("x" * 61, "x" * 60),
        ("a b\n", "a_b"),
    ],
)
def test_a_name_that_cannot_be_one_gets_a_proposal_that_can(name, better):
    with pytest.raises(ConfigurationError) as caught:
        refuse_name(name)
    assert caught.value.next_move == f"Try `{better}`."
    refuse_name(better)


@pytest.mark.parametrize(
    ("schedule", "literal"), [(None, "None"), ("@daily", '"@daily"'), ("*/5 * * * *", '"*/5 * * * *"')]
)
def test_a_schedule_becomes_python(schedule, literal):
    assert schedule_literal(schedule) == literal


@pytest.mark.parametrize("schedule", ["daily", "61 * * * *", "", "@never", '" + evil + "', "0 0 * * * * * *"])
def test_what_is_no_schedule_is_a_usage_error(schedule):
    with pytest.raises(typer.BadParameter, match="no schedule"):
        schedule_literal(schedule)


def test_files_are_written_and_named(plan, project):
    plan.render("dag", title="Nightly", schedule="None")
    assert list(plan.write()) == ["dags/nightly.py", "tests/test_nightly.py"]
    assert ast.parse((project.dags / "nightly.py").read_text(encoding="utf-8"))
    assert "../dags/nightly.py" in (project.root / "tests/test_nightly.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["dags/nightly.py", "tests/test_nightly.py"])
def test_a_file_that_exists_is_kept(project, place):
    (project.root / place).parent.mkdir(exist_ok=True)
    (project.root / place).write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="exists already"):
        Plan.of(project, load(project.root, {}), "nightly")
    assert (project.root / place).read_text(encoding="utf-8") == "mine"


def test_an_id_that_is_taken_is_refused(project):
    text = "from airflow.sdk import DAG\nDAG('nightly')\n"
    (project.dags / "other.py").write_text(text, encoding="utf-8")
    (project.dags / "broken.py").write_text("def (", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="in dags/other"):
        Plan.of(project, load(project.root, {}), "nightly")


def test_when_one_file_cannot_be_written_none_is_left(plan, project):
    plan.render("dag", title="Nightly", schedule="None")
    (project.root / "tests").write_text("a file in place of a folder", encoding="utf-8")
    with pytest.raises((StorageError, ConfigurationError)):
        list(plan.write())
    assert not (project.dags / "nightly.py").exists()


def test_the_list_of_dags_gets_an_entry(plan, project):
    (project.root / "tests").mkdir()
    path = project.root / "tests/test_dags.py"
    path.write_text('EXPECTED = {\n    "a": {},\n}\nx = 1\n', encoding="utf-8")
    plan.render("dag", title="Nightly", schedule='"@daily"')
    list(plan.write())
    namespace: dict = {}
    exec(path.read_text(encoding="utf-8"), namespace)  # noqa: S102 - our own text
    assert namespace["EXPECTED"]["nightly"]["schedule"] == "@daily"
    assert namespace["EXPECTED"]["a"] == {}


@pytest.mark.parametrize(
    "text", ["", "EXPECTED = {}", "EXPECTED = dict()\n", "def (", 'EXPECTED = {\n  "a": 1\n}\n', "x = {\n}\n"]
)
def test_a_list_that_is_not_understood_is_left_alone(text):
    assert with_entry(text, "x,\n") is None


def test_every_mark_of_every_template_has_a_value():
    with pytest.raises(KeyError):
        fill_in("dag.py.txt", {"name": "x"})
