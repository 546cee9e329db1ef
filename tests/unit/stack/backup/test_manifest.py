"""The manifest: JSON in and out, and any change of it is noticed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from airfoil.errors import ConfigurationError, StorageError
from airfoil.stack.backup import manifest as module
from airfoil.stack.backup.manifest import DatabaseCopy, Manifest, Stored, TableFacts, TreeCopy

pytestmark = pytest.mark.unit
STORED = Stored(object="a" * 64, bytes=10, packed=True)


def made(name="20261122T150000Z-abcd", **values) -> Manifest:
    given = {
        "name": name,
        "project": "shop",
        "made_at": datetime(2026, 11, 22, 15, tzinfo=UTC),
        "seconds": 1.25,
        "written_bytes": 5,
        "versions": {"airflow": "3.3.2"},
        "databases": (
            DatabaseCopy(
                part="airflow", kind="sqlite", stored=STORED, tables={"dag": TableFacts(rows=1, digest="d")}
            ),
        ),
        "trees": (TreeCopy(part="artifacts", files=1, bytes=100, listing=STORED),),
        "secrets": STORED,
        "counts": {"runs": 2},
    }
    return module.sealed(Manifest(**{**given, **values}))


def test_it_survives_a_round_trip():
    one = made(left_out=(("Feast's online store", "It is filled again."),))
    assert module.read(module.written(one).encode(), one.name) == one
    assert one.whole_bytes == 120
    assert one.database("airflow") is one.databases[0]
    assert one.database("mlflow") is None


@pytest.mark.parametrize("key", ["project", "seconds", "counts", "databases", "digest", "versions"])
def test_a_change_of_any_part_is_noticed(key):
    text = json.loads(module.written(made()))
    text[key] = {
        "project": "other",
        "seconds": 2.0,
        "counts": {},
        "databases": [],
        "digest": "",
        "versions": {},
    }[key]
    with pytest.raises(StorageError, match="it was changed after it was written"):
        module.read(json.dumps(text).encode(), text["name"])


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"format": "x"}', b"\xff\xfe", b'{"format": 1}'])
def test_garbage_is_told(text):
    with pytest.raises(StorageError, match="The manifest of backup b is damaged"):
        module.read(text, "b")


def test_one_of_a_newer_release_is_refused_and_one_under_another_name_too():
    text = json.loads(module.written(made())) | {"format": module.FORMAT + 1, "more": True}
    with pytest.raises(ConfigurationError, match="has format 2"):
        module.read(json.dumps(text).encode(), "b")
    with pytest.raises(StorageError, match="it is the one of"):
        module.read(module.written(made()).encode(), "b")


def test_names_lead_to_places_and_back():
    assert module.name_of(module.place_of("b")) == "b"
    assert module.name_of("backups/b.txt") == ""
    assert module.name_of("backups/a/b.json") == ""
