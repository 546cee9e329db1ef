"""Tables as they come: separators, encodings, broken files; and what is said about them."""

from __future__ import annotations

import pytest
from tests.tables import write_customers, write_houses

from airfoil.cli.new_files import Plan
from airfoil.cli.new_training import describe, fill, find_separator, read_table
from airfoil.errors import ConfigurationError
from airfoil.settings import load
from airfoil.steps.data_contract import DataContract

pytestmark = pytest.mark.unit


@pytest.fixture
def plan(project):
    return Plan.of(project, load(project.root, {}), "learn")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path, separator):
    path = tmp_path / "x.csv"
    path.write_text(separator.join(["a", "b", "c"]) + "\n1,5" + separator + "2\n", encoding="utf-8")
    assert find_separator(path) == separator


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n \n", "is empty"),
        (b"\x89PNG\0\0", "is not a CSV file but binary"),
        ("a,b\ngröße,1\n".encode("latin-1"), "is not UTF-8"),
        (b'a,b\n"1,2\n3,4\n', "not a whole CSV table"),
        (b"a,b\n1,2\n1,2,3,4\n", "not a whole CSV table"),
        (b"a\n1\n2\n", "one column only"),
    ],
)
def test_a_broken_table_is_one_sentence(tmp_path, content, said):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_table(path, find_separator(path))


@pytest.mark.parametrize("name", [".", "missing.csv"])
def test_what_is_no_file_is_one_sentence(tmp_path, name):
    with pytest.raises(ConfigurationError, match=r"is a folder|does not exist"):
        find_separator(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert list(read_table(path, ",").columns) == ["a", "b"]


def test_a_table_becomes_a_contract_a_dag_and_a_test(plan, project):
    path = project.root / "customers.csv"
    write_customers(path)
    contract = fill(plan, path, "churned")
    assert [plan.shown(one) for one in plan.files] == [
        "data/learn.contract.json",
        "dags/learn.py",
        "tests/test_learn.py",
    ]
    assert contract.data == "../customers.csv"
    assert DataContract.from_json(plan.files[project.root / "data/learn.contract.json"]) == contract
    assert 'Path(__file__).parents[1] / "data" / "learn.contract.json"' in plan.files[plan.dag_file]
    said = "\n".join(describe(contract))
    assert "classification in 2 classes" in said
    assert "left out cancelled_at: suspected leakage" in said


def test_a_table_outside_the_project_keeps_its_whole_path(plan, tmp_path):
    path = tmp_path / "houses.csv"
    write_houses(path)
    contract = fill(plan, path, "price")
    assert (contract.data, contract.separator, contract.task) == (str(path), ";", "regression")


def test_a_column_that_is_not_there_is_named_with_its_neighbour(plan, tmp_path):
    path = tmp_path / "houses.csv"
    write_houses(path)
    with pytest.raises(ConfigurationError, match="no column 'prise'") as caught:
        fill(plan, path, "prise")
    assert caught.value.next_move == "Did you mean `price`?"


def test_odd_names_do_not_break_the_python_that_is_written(plan, tmp_path):
    path = tmp_path / 'od"d {x}.csv'
    rows = "\n".join(f"{number * 7 % 13},{number * 5 % 7 % 2}" for number in range(60))
    path.write_text('a,"y"" {{z}} \\"\n' + rows + "\n", encoding="utf-8")
    target = list(read_table(path, ",").columns)[1]
    fill(plan, path, target)
    for file in (plan.dag_file, plan.test_file):
        assert compile(plan.files[file], "x", "exec").co_names
