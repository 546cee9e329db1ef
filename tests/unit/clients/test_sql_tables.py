"""A query's answer becomes a table, whatever its values turn out to be; no real server here, but a real SQLite."""

from __future__ import annotations

import sqlite3

import pyarrow.parquet as pq
import pytest

from airfoil.clients.sql_tables import fetch_query
from airfoil.errors import ConfigurationError, NotFoundError, ServiceUnreachableError, TableError

pytestmark = pytest.mark.unit


@pytest.fixture
def url(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("create table orders (id integer, word text, amount real, raw blob)")
        rows = [(number, None, 1.5, b"x") for number in range(25)]
        rows += [("late", "zz", 2, None), (None, "q:a %s", None, None)]
        connection.executemany("insert into orders values (?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_table_is_read_in_parts_whose_types_grow(url, tmp_path):
    table = pq.read_table(fetch_query(url, "orders", tmp_path, "orders", rows=10))
    assert {one.name: str(one.type) for one in table.schema} == {
        "id": "string",
        "word": "string",
        "amount": "double",
        "raw": "binary",
    }
    assert table["id"].to_pylist() == [*(str(number) for number in range(25)), "late", None]
    assert table["word"].to_pylist()[-2:] == ["zz", "q:a %s"]


def test_a_select_may_hold_colons_and_percents(url, tmp_path):
    query = "select id from orders where word = 'q:a %s' or (id < 3 and word is null)"
    assert pq.read_table(fetch_query(url, query, tmp_path, "orders"))["id"].to_pylist() == [0, 1, 2, None]
    query = "select id, word from orders where 1 = 0"
    assert pq.read_table(fetch_query(url, query, tmp_path, "orders")).num_rows == 0


@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("gone", NotFoundError, "no such table: gone"),
        ("selec 1", NotFoundError, "syntax error"),
        ("select id, id from orders", TableError, "more than one column 'id'"),
        (" ", ConfigurationError, "Nobody said what to read"),
    ],
)
def test_a_query_that_cannot_be_answered_is_told(url, tmp_path, query, kind, said):
    with pytest.raises(kind, match=said):
        fetch_query(url, query, tmp_path, "orders")


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path):
    with pytest.raises(NotFoundError, match="no database orders"):
        fetch_query(f"sqlite:///{tmp_path / 'none.db'}", "t", tmp_path, "orders")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(ServiceUnreachableError, match="does not answer") as caught:
        fetch_query("postgresql://u:hidden@127.0.0.1:1/x", "t", tmp_path, "orders")
    assert "hidden" not in caught.value.in_full
    with pytest.raises(ConfigurationError, match="of no kind that can be read"):
        fetch_query("ftp://127.0.0.1/x", "t", tmp_path, "orders")
