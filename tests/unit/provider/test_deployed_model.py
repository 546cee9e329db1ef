"""What a deployed model is asked with, and who answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_endpoints import FreshProcess
from airfoil.clients.object_store import FolderStore
from airfoil.errors import ConfigurationError
from airfoil.provider.deployed_model import deployed_entry, endpoint_of, known_rows
from airfoil.records import LedgerEntry

pytestmark = pytest.mark.unit
ENTRY = LedgerEntry(
    model="iris",
    alias="champion",
    number=1,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    kind="promote",
    who="ana",
    to_version=1,
)


def test_a_fresh_process_answers_until_there_is_a_server():
    server = MlflowServer("http://mlflow.test")
    assert endpoint_of(server, ["a.B"]) == FreshProcess(server, ("a.B",))


def test_a_move_that_took_an_alias_away_deployed_nothing():
    assert deployed_entry(ENTRY.to_json()) == ENTRY
    with pytest.raises(ConfigurationError, match="iris@champion points to no version"):
        deployed_entry(ENTRY.model_copy(update={"to_version": None}))
    with pytest.raises(ConfigurationError, match="'deployed' should be LedgerEntry"):
        deployed_entry("iris")


def test_rows_come_without_what_is_to_be_predicted(tmp_path):
    pa = pytest.importorskip("pyarrow")
    ref = FolderStore(tmp_path).write("held_out", pa.table({"x": [1.0, 2.0, 3.0], "kind": [0, 1, 0]}))
    assert known_rows(ref.to_json(), "kind", 2) == ([{"x": 1.0}, {"x": 2.0}], [0, 1])
    with pytest.raises(ConfigurationError, match="no column 'species'"):
        known_rows(ref, "species", 2)
