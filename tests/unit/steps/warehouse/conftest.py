"""Tables in DuckDB as Ibis sees them; what comes out must be what comes out of local files."""

from __future__ import annotations

import pytest
from tests.warehouse_tables import DuckTables

ibis = pytest.importorskip("ibis")


@pytest.fixture(scope="session")
def duck() -> DuckTables:
    """How to make a table: `duck(arrow_table, "name")`."""
    return DuckTables(ibis.duckdb.connect())
