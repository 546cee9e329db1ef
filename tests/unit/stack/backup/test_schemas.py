"""Tables that a tool makes itself: when, and what is told when it cannot."""

from __future__ import annotations

import subprocess

import pytest

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack import versions
from airfoil.stack.backup import schemas
from airfoil.stack.versions import Schema

pytestmark = pytest.mark.unit


def test_the_tool_that_cannot_make_its_tables_is_quoted(tmp_path, monkeypatch):
    def run(words, **given):
        assert "secret" not in " ".join(map(str, words)), "the address is in the environment"
        assert given["env"][schemas.VARIABLE] == "postgresql://ann:secret@db/air"
        return subprocess.CompletedProcess([], 1, "", "one\nno such role\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(NeighbourError, match="could not be made: no such role"):
        schemas.make("airflow", "postgresql://ann:secret@db/air", tmp_path)


@pytest.mark.parametrize(
    ("part", "revision", "asked"),
    [("airflow", "a", True), ("airflow", "b", False), ("mlflow_auth", "", True)],
)
def test_a_copy_is_migrated_when_it_is_behind(part, revision, asked, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(schemas, "make", lambda *given: made.append(given))
    monkeypatch.setattr(versions, "schema_of", lambda _: Schema(frozenset("ab"), frozenset("b")))
    schemas.bring_up_to_date(part, tmp_path / "a.db", revision, tmp_path)
    assert bool(made) is asked


def test_what_nobody_can_make_is_refused():
    schemas.refuse_unmovable("mlflow")
    with pytest.raises(ConfigurationError, match="Feast's online store cannot be moved"):
        schemas.refuse_unmovable("feast_online")
