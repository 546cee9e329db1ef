"""Which backups there are, by name, by how they begin, and the latest."""

from __future__ import annotations

import io

import pytest
from tests.unit.stack.backup.test_manifest import made

from airfoil.errors import NotFoundError, StorageError
from airfoil.stack.backup import catalogue, manifest

pytestmark = pytest.mark.unit


@pytest.fixture
def filled(place):
    for one in (made("20261120T000000Z-aaaa"), made("20261121T000000Z-bbbb", project="other")):
        place.put(manifest.place_of(one.name), io.BytesIO(manifest.written(one).encode()))
    place.put("backups/20261122T000000Z-cccc.json", io.BytesIO(b"{"))
    place.put("backups/note.txt", io.BytesIO(b"not ours"))
    place.put("objects/aa/aa", io.BytesIO(b"x"))
    return place


def test_they_are_found_oldest_first_and_damage_is_said(filled):
    entries = catalogue.found_in(filled)
    assert [one.name[-4:] for one in entries] == ["aaaa", "bbbb", "cccc"]
    assert entries[0].manifest is not None
    assert "damaged" in str(entries[2].problem)
    assert [one.name[-4:] for one in catalogue.whole(filled)] == ["aaaa", "bbbb"]
    assert [one.name[-4:] for one in catalogue.whole(filled, "other")] == ["bbbb"]


def test_one_is_named_by_how_it_begins(filled):
    assert catalogue.named(filled, "20261120").name == "20261120T000000Z-aaaa"
    with pytest.raises(NotFoundError, match="Several backups begin with 2026"):
        catalogue.named(filled, "2026")
    with pytest.raises(NotFoundError, match="There is no backup 1999"):
        catalogue.named(filled, "1999")


def test_the_latest_one_is_told_of_even_if_it_is_damaged(filled):
    with pytest.raises(StorageError, match="The manifest of backup 20261122T000000Z-cccc is damaged"):
        catalogue.named(filled, "latest")
    filled.delete("backups/20261122T000000Z-cccc.json")
    assert catalogue.named(filled, "latest").project == "other"
    assert catalogue.named(filled, "latest", "shop").project == "shop"
    with pytest.raises(NotFoundError, match="There is no backup in"):
        catalogue.named(filled, "latest", "third")
