"""`airfoil new contract`: a file that reads well, is read back, and never replaces another."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tables import write_customers

from airfoil.cli.new_contract import draft, file_of
from airfoil.steps.quality.contract import Contract

pytestmark = pytest.mark.unit


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder without a project."""
    monkeypatch.chdir(tmp_path)
    write_customers(tmp_path / "customers.csv")
    return tmp_path


def test_a_good_table_becomes_a_contract(airfoil, here):
    said = airfoil("new", "contract", "customers.csv")
    assert said.code == 0
    assert "Wrote customers.contract.yaml" in said.out
    assert "airfoil data check TABLE --contract customers.contract.yaml" in said.out
    text = (here / "customers.contract.yaml").read_text(encoding="utf-8")
    assert text.startswith("# What a table has to be. Read off customers.csv")
    found = Contract.of_yaml(text)
    assert "churned" in found.columns
    assert airfoil("data", "check", "customers.csv", "--contract", "customers.contract.yaml").code == 0


def test_it_can_be_printed_and_named(airfoil, here):
    said = airfoil("new", "contract", "customers.csv", "-o", "-", "--name", "people")
    assert said.code == 0
    assert "Read off people" in said.out
    assert Contract.of_yaml(said.out).columns
    assert not list(here.glob("*.yaml"))


def test_more_room_is_wider_ranges(here):
    tight = draft("customers.csv", room=0.0).contract.columns
    wide = draft("customers.csv", room=3.0).contract.columns
    bounded = [name for name, rule in tight.items() if rule.at_most is not None]
    assert bounded
    assert all(wide[name].at_most > tight[name].at_most for name in bounded)


def test_what_exists_is_not_replaced(airfoil, here):
    (here / "customers.contract.yaml").write_text("mine")
    said = airfoil("new", "contract", "customers.csv")
    assert said.code == 1
    assert "customers.contract.yaml exists already" in said.err
    assert (here / "customers.contract.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("none.csv",), "There is no table none.csv"),
        (("customers.csv", "--room", "-1"), "less than no room"),
        (("empty.csv",), "is empty"),
        (("customers.csv", "-o", "customers.csv/x.yaml"), "customers.csv"),
    ],
)
def test_what_cannot_be_is_one_sentence(airfoil, here, arguments, sentence):
    (here / "empty.csv").touch()
    said = airfoil("new", "contract", *arguments)
    assert said.code == 1
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("called", "file"),
    [
        ("trips.parquet", "trips"),
        ("größe 1.csv", "größe_1"),
        ("..", "table"),
        ("a/b", "a_b"),
        ("*.csv", "table"),
    ],
)
def test_a_file_is_called_like_its_table(here, called, file):
    made = draft("customers.csv", called)
    assert file_of(made) == Path(f"{file}.contract.yaml")
